using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Checkpoints.Safetensors;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests;

/// <summary>What ONNX Runtime computes from float32 exports, with all its graph optimizations.</summary>
public sealed class LogitsTests(LogitsTests.Exports exports) : IClassFixture<LogitsTests.Exports>
{
    public static TheoryData<string, int[], int[]> Shapes { get; } = new(
        from file in new[] { "plain", "fused" }
        from shape in new (int[] Paddings, int[] Parts)[]
        {
            ([0], [1]),
            ([0], [1, 1, 1, 1]),
            ([0], [17, 1, 1, 5, 1]),
            ([0, 0, 0], [9, 4]),
            ([0, 7, 2], [11, 1, 1, 3]),
            ([5, 0], [2, 2, 2, 30]),    // one row begins after the first two parts
            ([0, 63], [64]),
        }
        select (file, shape.Paddings, shape.Parts));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Logits_equal_the_engines_whatever_the_batch_padding_and_past(string file, int[] paddings, int[] parts)
    {
        using var session = LogitComparison.Open(exports.Folder[file]);
        using var model = TestModels.Tiny();
        var difference = LogitComparison.LargestDifference(model, session, seed: 3, paddings, parts);
        Assert.True(difference < 1e-4, $"worst difference {difference}");
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("fused")]
    public void Logits_equal_the_reference(string file)
    {
        using var scope = NewDisposeScope();
        using var reference = SafetensorsFile.Open(RepositoryFiles.Data("gpt2-tiny/forward.safetensors"));
        using var session = LogitComparison.Open(exports.Folder[file]);
        var (ids, mask) = (reference.Read("input_ids"), reference.Read("attention_mask"));
        var positions = arange(ids.shape[1]).unsqueeze(0).expand(ids.shape);
        var logits = session.Run(ids, mask, positions);
        var difference = (logits - reference.Read("logits")).abs().max().ToDouble();
        Assert.True(difference < 1e-4, $"worst difference {difference}");
    }

    [Fact]
    public void The_file_without_past_gives_the_same_logits()
    {
        using var session = LogitComparison.Open(exports.Folder["plain"], OnnxExporter.WithoutPastFileName);
        using var model = TestModels.Tiny();
        Assert.False(session.HasPast);
        var difference = LogitComparison.LargestDifference(model, session, seed: 4, [0, 3], 20);
        Assert.True(difference < 1e-4, $"worst difference {difference}");
    }

    public sealed class Exports : IDisposable
    {
        internal TemporaryFolder Folder { get; } = new();

        public Exports()
        {
            using var model = TestModels.Tiny();
            OnnxExporter.Export(model, null, Folder["plain"], new OnnxExportOptions { FileWithoutPast = true });
            OnnxExporter.Export(model, null, Folder["fused"], new OnnxExportOptions { FusedOperators = true });
        }

        public void Dispose() => Folder.Dispose();
    }
}
