using System.Globalization;
using MLTransfer.Tests.ForeignClients;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>The programs export a model and run it elsewhere: in C#, in Node and in a pipeline.</summary>
internal sealed class OnnxPageRun : PageRun
{
    private const string Prompt = "Once upon a time";

    public override string Page => "docs/onnx.md";

    public override void Prepare(PageFolder folder)
    {
        var ml = new MLContext(seed: 1);
        var rows = ml.Data.LoadFromEnumerable(Array.Empty<PromptRow>());
        using var model = ml.Transforms.Text.GenerateText("Continuation", "Prompt").Fit(rows);
        ml.Model.Save(model, rows.Schema, folder["storyteller.zip"]);
        folder.Copy(RepositoryFiles.Data("music/musicgen-small-tiny"), "music");
        folder.Copy(RepositoryFiles.Data("speech/vits-tiny-speakers"), "voice");
        folder.Copy(RepositoryFiles.Data("images/min-dalle-tiny"), "artist");
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        using var model = new MLContext(seed: 1).Generation.LoadPretrained();
        Assert.StartsWith(Prompt + model.Generate(Prompt) + "\n", printed[1], StringComparison.Ordinal);
        var expected = Prompt + model.Generate(Prompt, new() { MaximumNewTokens = 40 });
        Assert.Equal(expected, printed[2]);
        NodeInstallation.Require();
        Assert.Equal(expected, NodeProgram.RunModule(Assert.Single(new Page(Page).Code("js")), folder.Path).TrimEnd('\n'));

        var next = new TokenGenerator(model.Network).Generate([[12, 7, 345, 18]], new() { MaximumNewTokens = 1 });
        Assert.Equal(next[0][0].TokenIds, [int.Parse(printed[3], CultureInfo.InvariantCulture)]);

        Assert.True(File.Exists(folder["music-onnx/onnx/decoder_model_merged_quantized.onnx"]));
        Assert.True(WaveformFile.Read(folder["music.wav"]).Frames > 0);
        using var voice = VitsModel.Load(folder["voice"]);
        var spoken = new SpeechGenerator(voice, SpeechTokenizer.Load(folder["voice"]))
            .Generate("hello there", new() { NoiseScale = 0, DurationNoiseScale = 0 });
        Assert.Equal(spoken.Frames, WaveformFile.Read(folder["voice.wav"]).Frames);

        using var wish = MLImage.CreateFromFile(folder["wish.png"]);
        Assert.Equal((8, 8), (wish.Width, wish.Height));
    }
}
