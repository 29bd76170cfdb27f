using System.Text.Json.Nodes;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Generation;

public sealed class OnnxMusicGeneratorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("musicgen-small-tiny", "greedy")]
    [InlineData("musicgen-small-tiny", "continuation_guidance3")]
    [InlineData("musicgen-small-tiny", "unconditional")]
    [InlineData("musicgen-stereo-tiny", "continuation_guidance3")]
    public void Codes_and_sounds_equal_the_reference(string name, string reference)
    {
        using var generator = Export(name, new OnnxExportOptions { Check = false });
        var folder = RepositoryFiles.Data($"music/{name}");
        using var tensors = SafetensorsFile.Open(Path.Combine(folder, "generation.safetensors"));
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "generation.json")))!["cases"]!.AsArray()
            .First(c => c!["name"]!.GetValue<string>() == reference)!;
        var prompted = reference.StartsWith("continuation", StringComparison.Ordinal);
        var codes = json["codes"]!.AsArray().Select(Rows).ToArray();
        var made = generator.Generate(
            [
                .. codes.Select((_, row) => new MusicPrompt
                {
                    Text = json["texts"]?[row]!.GetValue<string>(),
                    Sound = prompted ? Waveform.FromTensor(tensors.Read("prompt_input_values")[row], 16000) : null,
                }),
            ],
            new MusicGenerationOptions
            {
                Sample = false, GuidanceScale = json["options"]!["guidance_scale"]!.GetValue<double>(),
                MaximumFrames = codes[0][0].Length - (prompted ? 7 : 0),
            }, cancellationToken: Token);
        foreach (var (row, music) in made.Index())
        {
            using var scope = NewDisposeScope();
            Assert.Equal(codes[row], music.Codes);
            Assert.InRange((music.Sound.ToTensor() - tensors.Read($"audio.{reference}")[row]).abs().max().item<float>(), 0, 1e-3);
        }
    }

    [Fact]
    public void Samples_are_those_of_the_engine_by_the_same_seeds()
    {
        var folder = RepositoryFiles.Data("music/musicgen-small-tiny");
        using var generator = Export("musicgen-small-tiny", new OnnxExportOptions { Check = false });
        using var model = MusicGenModel.Load(folder);
        MusicPrompt[] prompts = ["a slow march", "piano", new MusicPrompt()];
        var options = new MusicGenerationOptions { MaximumFrames = 20, Seed = 3, TopK = 30, WindowSeconds = 0.24, KeptSeconds = 0.1 };
        var expected = new MusicGenerator(model, TextTokenizer.Load(folder)).Generate(prompts, options, cancellationToken: Token);
        Assert.Equal(
            expected.Select(music => music.Codes),
            generator.Generate(prompts, options, cancellationToken: Token).Select(music => music.Codes));
    }

    [Fact]
    public void Files_of_transformers_js_generate_too()
    {
        using var generator = Export(
            "musicgen-small-tiny", new OnnxExportOptions { Check = false, TransformersJsFiles = true },
            new OnnxRuntimeOptions { ModelFile = "onnx/decoder_model_merged_quantized.onnx" });
        var music = generator.Generate(["piano"], new MusicGenerationOptions { MaximumFrames = 6, Seed = 1 }, cancellationToken: Token)[0];
        Assert.All(music.Codes, row => Assert.Equal(6, row.Length));
    }

    [Fact]
    public void What_is_no_export_is_named()
    {
        Assert.Throws<DirectoryNotFoundException>(() => OnnxMusicGenerator.Load(_folder["none"]));
        Export("musicgen-small-tiny", new OnnxExportOptions { Check = false }).Dispose();
        File.Delete(_folder["export/encodec_decode.onnx"]);
        Assert.Contains("encodec_decode.onnx", Assert.Throws<FileNotFoundException>(
            () => OnnxMusicGenerator.Load(_folder["export"])).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["export/encodec_decode.onnx"], "none");
        Assert.Throws<InvalidDataException>(() => OnnxMusicGenerator.Load(_folder["export"]));
    }

    private OnnxMusicGenerator Export(string name, OnnxExportOptions options, OnnxRuntimeOptions? runtime = null)
    {
        var folder = RepositoryFiles.Data($"music/{name}");
        using var model = MusicGenModel.Load(folder);
        MusicGenExporter.Export(model, TextTokenizer.Load(folder), _folder["export"], options);
        return OnnxMusicGenerator.Load(_folder["export"], runtime);
    }

    private static int[][] Rows(JsonNode? node) =>
        [.. node!.AsArray().Select(row => row!.AsArray().Select(id => id!.GetValue<int>()).ToArray())];
}
