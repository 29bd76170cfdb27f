using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>transformers.js, which knows nothing of MLTransfer, speaks from an exported folder what a generator speaks.</summary>
public sealed class SpeechInTransformersJsTests
{
    private static readonly string[] s_texts = ["Hello, World!", "  it's a   SMALL step -- 1, 2.", "x"];

    [Fact]
    public void The_same_characters_are_read_and_the_same_samples_spoken()
    {
        NodeInstallation.Require();
        var source = RepositoryFiles.Data("speech/vits-tiny-stochastic");
        using var model = VitsModel.Load(source);
        var tokenizer = SpeechTokenizer.Load(source);
        var options = new SpeechOptions { NoiseScale = 0, DurationNoiseScale = 0 };
        using var folder = new TemporaryFolder();
        SpeechExporter.Export(model, tokenizer, folder["voice"], options, transformersJsFiles: true);

        var spoken = NodeProgram.Run<Spoken>("speak.mjs", new { modelPath = folder.Path, model = "voice", texts = s_texts });
        var sounds = new SpeechGenerator(model, tokenizer).Generate(s_texts, options);
        Assert.Equal(s_texts.Select(text => tokenizer.Encode(text)), spoken.Ids);
        foreach (var (sound, samples) in sounds.Zip(spoken.Waveforms))
        {
            Assert.Equal(sound.Frames, samples.Length);
            Assert.All(samples.Zip(sound.Samples.ToArray()), pair => Assert.Equal(pair.Second, pair.First, 1e-3));
        }
    }

    private sealed record Spoken(int[][] Ids, float[][] Waveforms);
}
