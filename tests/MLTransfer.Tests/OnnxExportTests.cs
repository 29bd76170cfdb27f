using MLTransfer.Onnx;
using MLTransfer.Tests.Text;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests;

public class OnnxExportTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void A_fine_tuned_generator_is_exported_with_its_tokenizer_and_generation_options()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(6));
        var generation = new GenerationOptions { MaximumNewTokens = 7, RepetitionPenalty = 1.5 };
        using var folder = new TemporaryFolder();
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.Message);
        var chain = _ml.Transforms.CopyColumns("Copy", "Text").Append(_ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Copy",
            TextGeneratorPipelineTests.Tiny(o =>
                (o.Training, o.Lora, o.Generation) = (o.Training with { MaximumSteps = 3 }, new LoraOptions { Rank = 2 }, generation))))
                    .Fit(data);

        var file = Assert.Single(_ml.Generation.ExportToOnnx(chain, folder["export"]));

        Assert.InRange(file.LargestDifference!.Value, 0, 1e-4);
        Assert.Equal(
            ["config.json", "generation_config.json", "merges.txt", "model.onnx", "special_tokens_map.json", "tokenizer.json",
                "tokenizer_config.json", "vocab.json"],
            Directory.EnumerateFileSystemEntries(folder["export"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        var proposed = GenerationOptions.FromPretrained(folder["export"]);
        Assert.Equal((7, 1.5), (proposed.MaximumNewTokens, proposed.RepetitionPenalty));
        Assert.Contains(messages, message => message.Contains("model.onnx", StringComparison.Ordinal));
        Assert.Contains(messages, message => message.Contains(folder["export"], StringComparison.Ordinal));

        var exception = Assert.Throws<ArgumentException>(
            () => _ml.Generation.ExportToOnnx(_ml.Transforms.CopyColumns("A", "Text").Fit(data), folder["other"]));
        Assert.Contains("no text generator", exception.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["other"]));
    }

    [Fact]
    public void ApplyOnnxModel_runs_the_exported_model_in_a_pipeline()
    {
        const int Length = 12;
        using var model = _ml.Generation.LoadPretrained(TestData.TinyModel);
        using var folder = new TemporaryFolder();
        _ml.Generation.ExportToOnnx(model, folder["export"], new OnnxExportOptions { FileWithoutPast = true });
        var rows = new[] { 3, 4 }.Select(step => new TokenRow
        {
            InputIds = [.. Enumerable.Range(0, Length).Select(i => (long)(i * 37 * step % model.Network.VocabularySize))],
            AttentionMask = [.. Enumerable.Repeat(1L, Length)],
            PositionIds = [.. Enumerable.Range(0, Length).Select(i => (long)i)],
        }).ToList();

        // One row is one batch; the shapes say which of the file's free dimensions a row has.
        var pipeline = _ml.Transforms.ApplyOnnxModel(
            ["logits"], ["input_ids", "attention_mask", "position_ids"], folder["export/model_without_past.onnx"],
            new Dictionary<string, int[]>
            {
                ["input_ids"] = [1, Length],
                ["attention_mask"] = [1, Length],
                ["position_ids"] = [1, Length],
                ["logits"] = [1, Length, model.Network.VocabularySize],
            }, recursionLimit: 100);
        var data = _ml.Data.LoadFromEnumerable(rows);
        var transformed = pipeline.Fit(data).Transform(data);

        var results = _ml.Data.CreateEnumerable<LogitsRow>(transformed, reuseRowObject: false).ToList();
        Assert.Equal(rows.Count, results.Count);
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        for (var row = 0; row < rows.Count; row++)
        {
            var expected = model.Network.Forward(new(tensor(rows[row].InputIds).unsqueeze(0)));
            var difference = (tensor(results[row].Logits) - expected.view(-1)).abs().max().item<float>();
            Assert.True(difference < 1e-4, $"worst difference {difference}");
        }
    }

    private sealed class TokenRow
    {
        [ColumnName("input_ids"), VectorType(12)]
        public long[] InputIds { get; set; } = [];

        [ColumnName("attention_mask"), VectorType(12)]
        public long[] AttentionMask { get; set; } = [];

        [ColumnName("position_ids"), VectorType(12)]
        public long[] PositionIds { get; set; } = [];
    }

    private sealed class LogitsRow
    {
        [ColumnName("logits")]
        public float[] Logits { get; set; } = [];
    }
}
