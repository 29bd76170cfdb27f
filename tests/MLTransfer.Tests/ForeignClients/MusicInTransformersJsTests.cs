using MLTransfer.Onnx;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>transformers.js, which knows nothing of MLTransfer, makes the engine's music of an exported MusicGen.</summary>
public class MusicInTransformersJsTests
{
    private const int Frames = 40;

    /// <summary>
    /// Codes after the last frame of the later codebooks are not masked by transformers.js, and the codec looks a few frames ahead.
    /// </summary>
    private const int FramesThatDiffer = 10;

    private static readonly string[] s_captions = ["a slow march for drums and brass", "soft piano, night"];

    [Theory]
    [InlineData("fp32", 1)]
    [InlineData("fp32", 3)]
    [InlineData("q8", 3)]
    public void Captions_become_the_same_sounds(string dtype, double guidance)
    {
        NodeInstallation.Require();
        var folder = RepositoryFiles.Data("music/musicgen-small-tiny");
        using var model = MusicGenModel.Load(folder);
        var tokenizer = TextTokenizer.Load(folder);
        using var export = new TemporaryFolder();
        MusicGenExporter.Export(
            model, tokenizer, export["music"], new OnnxExportOptions { TransformersJsFiles = true, Check = false });

        var sounds = NodeProgram.Run<float[][]>("music.mjs", new
        {
            modelPath = export.Path, model = "music", dtype, captions = s_captions,
            options = new { max_new_tokens = Frames + model.Codebooks - 1, do_sample = false, guidance_scale = guidance },
        });

        using var quantized = OnnxMusicGenerator.Load(
            export["music"], new OnnxRuntimeOptions { ModelFile = "onnx/decoder_model_merged_quantized.onnx" });
        var engine = new MusicGenerator(model, tokenizer);
        var options = new MusicGenerationOptions { MaximumFrames = Frames, GuidanceScale = guidance, Sample = false };
        var samples = (Frames - FramesThatDiffer) * model.SampleRate / model.FrameRate;
        foreach (var (caption, sound) in s_captions.Zip(sounds))
        {
            var music = (dtype == "fp32" ? engine.Generate([caption], options) : quantized.Generate([caption], options))[0];
            Assert.Equal(music.Sound.Frames, sound.Length);
            for (var i = 0; i < samples; i++)
                Assert.Equal(music.Sound.Samples[i], sound[i], 1e-3f);
        }
    }
}
