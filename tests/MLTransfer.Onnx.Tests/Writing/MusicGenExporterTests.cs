using System.Text.Json.Nodes;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Writing;

public sealed class MusicGenExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("musicgen-small-tiny")]
    [InlineData("musicgen-stereo-tiny")]
    [InlineData("musicgen-tiny")]
    public void Files_run_in_ONNX_Runtime_and_give_what_the_engine_gives(string name)
    {
        using var model = MusicGenModel.Load(RepositoryFiles.Data($"music/{name}"));
        var files = MusicGenExporter.Export(model, null, _folder["export"]);
        Assert.Equal(
            ["text_encoder.onnx", "decoder_model_merged.onnx", "build_delay_pattern_mask.onnx"], files.Select(file => file.Name).Take(3));
        Assert.All(files, file => Assert.True(file.LargestDifference < 1e-4));
        MusicGenExporter.Export(model, null, _folder["export"]); // an export is replaced
    }

    [Theory]
    [InlineData("musicgen-small-tiny", "greedy")]
    [InlineData("musicgen-small-tiny", "greedy_guidance3")]
    [InlineData("musicgen-small-tiny", "continuation_guidance3")]
    [InlineData("musicgen-stereo-tiny", "greedy_guidance3")]
    public void A_loop_over_the_files_generates_the_codes_of_the_reference(string name, string reference)
    {
        var folder = RepositoryFiles.Data($"music/{name}");
        using var model = MusicGenModel.Load(folder);
        MusicGenExporter.Export(model, TextTokenizer.Load(folder), _folder["export"], new OnnxExportOptions { Check = false });
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "generation.json")))!["cases"]!.AsArray()
            .First(c => c!["name"]!.GetValue<string>() == reference)!;
        var guidance = json["options"]!["guidance_scale"]!.GetValue<double>();
        Assert.Equal(Rows(json["delayed_ids"]), Generate(json, guidance));
    }

    [Fact]
    public void Delay_masks_equal_the_reference()
    {
        using var mono = MusicGenModel.Load(RepositoryFiles.Data("music/musicgen-small-tiny"));
        using var stereo = MusicGenModel.Load(RepositoryFiles.Data("music/musicgen-stereo-tiny"));
        MusicGenExporter.Export(mono, null, _folder["mono"], new OnnxExportOptions { Check = false });
        MusicGenExporter.Export(stereo, null, _folder["stereo"], new OnnxExportOptions { Check = false });
        var cases = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("music/musicgen-small-tiny/delay_pattern.json")))!.AsArray();
        var compared = 0;
        foreach (var json in cases)
        {
            var (codebooks, channels) = (json!["codebooks"]!.GetValue<int>(), json["audio_channels"]!.GetValue<int>());
            if ((codebooks, channels) is not ((4, 1) or (8, 2)))
                continue;
            var (ids, mask) = Mask(
                _folder[channels == 1 ? "mono" : "stereo"], Rows(json["input_ids"]), json["pad_token_id"]!.GetValue<int>(),
                json["max_length"]!.GetValue<int>());
            Assert.Equal(Rows(json["start_ids"]), ids);
            Assert.Equal(Rows(json["mask"]), mask);
            compared++;
        }

        Assert.True(compared >= 5);
    }

    [Theory]
    [InlineData(OnnxPrecision.Int8)]
    [InlineData(OnnxPrecision.Float16)]
    public void Other_number_formats_and_the_files_of_transformers_js_are_checked_too(OnnxPrecision precision)
    {
        using var model = MusicGenModel.Load(RepositoryFiles.Data("music/musicgen-small-tiny"));
        LowRankAdaptation.Attach(model, new LoraOptions { Rank = 2 }, seed: 1);
        var files = MusicGenExporter.Export(
            model, null, _folder["export"], new OnnxExportOptions { Precision = precision, TransformersJsFiles = true });
        Assert.Contains("onnx/decoder_model_merged_quantized.onnx", files.Select(file => file.Name));
    }

    [Fact]
    public void Options_without_meaning_are_named()
    {
        using var model = MusicGenModel.Load(RepositoryFiles.Data("music/musicgen-small-tiny"));
        var error = Assert.Throws<ArgumentException>(
            () => MusicGenExporter.Export(model, null, _folder["export"], new OnnxExportOptions { SeparateAdapter = true }));
        Assert.Contains("SeparateAdapter", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["export"]));
    }

    /// <summary>What a host does that knows the files alone.</summary>
    private int[][] Generate(JsonNode json, double guidance)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var encoder = new OnnxModelSession(ExportedSession.Open(Path.Combine(_folder["export"], "text_encoder.onnx"), "encoder"));
        using var decoder = new OnnxModelSession(
            ExportedSession.Open(Path.Combine(_folder["export"], "decoder_model_merged.onnx"), "decoder"));
        var (captions, captionMask) = (Tensor(Rows(json["input_ids"])), Tensor(Rows(json["attention_mask"])));
        var states = encoder.Run(("input_ids", captions), ("attention_mask", captionMask));
        if (guidance > 1)
            (states, captionMask) = (cat([states, zeros_like(states)], 0), cat([captionMask, zeros_like(captionMask)], 0));
        var mask = Rows(json["delay_pattern_mask"]);
        var start = json["start_length"]!.GetValue<int>();
        var columns = Enumerable.Range(0, mask.Length).Select(row => mask[row][..start].ToList()).ToList();
        for (var length = start; length < mask[0].Length; length++)
        {
            var read = Tensor([.. columns.Select(row => (length == start ? row : [row[^1]]).ToArray())]);
            var logits = decoder.Run(
                ("input_ids", guidance > 1 ? cat([read, read], 0) : read), ("encoder_attention_mask", captionMask),
                ("encoder_hidden_states", states), ("use_cache_branch", tensor([length > start])));
            var last = logits.narrow(1, logits.shape[1] - 1, 1).squeeze(1);
            if (guidance > 1)
                last = last.narrow(0, mask.Length, mask.Length) + (
                    last.narrow(0, 0, mask.Length) - last.narrow(0, mask.Length, mask.Length)) * guidance;
            var chosen = last.argmax(1);
            for (var row = 0; row < mask.Length; row++)
                columns[row].Add(mask[row][length] >= 0 ? mask[row][length] : (int)chosen[row].ToInt64());
        }

        return [.. columns.Select(row => row.ToArray())];
    }

    private static (int[][] Ids, int[][] Mask) Mask(string folder, int[][] ids, long padding, long length)
    {
        using var session = ExportedSession.Open(Path.Combine(folder, "build_delay_pattern_mask.onnx"), "mask");
        using var run = new RunOptions();
        long[] values = [.. ids.SelectMany(row => row).Select(id => (long)id)];
        using var idValue = OrtValue.CreateTensorValueFromMemory(values, [ids.Length, ids[0].Length]);
        using var paddingValue = OrtValue.CreateTensorValueFromMemory([padding], []);
        using var lengthValue = OrtValue.CreateTensorValueFromMemory([length], []);
        using var outputs = session.Run(
            run, ["input_ids", "pad_token_id", "max_length"], [idValue, paddingValue, lengthValue],
                ["input_ids_edited", "delay_pattern_mask"]);
        return (ToRows(outputs[0]), ToRows(outputs[1]));

        int[][] ToRows(OrtValue value) =>
            [.. value.GetTensorDataAsSpan<long>().ToArray().Select(id => (int)id).Chunk((int)value.GetTensorTypeAndShape().Shape[1])];
    }

    private static Tensor Tensor(int[][] rows) =>
        tensor([.. rows.SelectMany(row => row).Select(id => (long)id)], [rows.Length, rows[0].Length]);

    private static int[][] Rows(JsonNode? node) =>
        [.. node!.AsArray().Select(row => row!.AsArray().Select(id => id!.GetValue<int>()).ToArray())];
}
