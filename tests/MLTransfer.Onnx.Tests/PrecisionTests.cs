using MLTransfer.Models;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests;

/// <summary>What each precision costs: the loss of the Tales model on held-out text.</summary>
public sealed class PrecisionTests(PrecisionTests.Float32Loss reference) : IClassFixture<PrecisionTests.Float32Loss>
{
    private const int BlockLength = 256;
    private const int BlockCount = 4;

    [Theory]
    [InlineData(OnnxPrecision.Float16, 0.002, 0.55)]
    [InlineData(OnnxPrecision.Int8, 0.003, 0.28)]
    [InlineData(OnnxPrecision.Int4, 0.04, 0.20)]
    public void A_precision_keeps_the_loss_and_makes_the_file_smaller(OnnxPrecision precision, double largestIncrease, double largestShare)
    {
        using var model = TestModels.Tales();
        using var folder = new TemporaryFolder();
        var file = Assert.Single(OnnxExporter.Export(model, null, folder["tales"], new OnnxExportOptions { Precision = precision }));
        using var session = LogitComparison.Open(folder["tales"]);

        var increase = Loss(session) - reference.Loss;

        var share = (double)file.ByteCount / reference.ByteCount;
        var figures =
            $"{precision}: loss {reference.Loss + increase:0.0000} ({increase:+0.0000;-0.0000}), {file.ByteCount} bytes ({share:0.000})";
        TestContext.Current.TestOutputHelper?.WriteLine(figures);
        Assert.True(Math.Abs(increase) < largestIncrease, figures);
        Assert.True(share < largestShare, figures);
    }

    /// <summary>The mean over predicted tokens of the first blocks of the sample's test text.</summary>
    private static double Loss(OnnxModelSession session)
    {
        using var scope = NewDisposeScope();
        var text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "samples", "TextGeneration", "data", "mars", "test.txt"));
        var tokens = TextTokenizer.Load(TalesModel.Folder).Encode(text).Take(BlockCount * BlockLength).Select(id => (long)id).ToArray();
        double sum = 0;
        foreach (var block in tokens.Chunk(BlockLength))
        {
            session.Clear();
            var ids = tensor(block).unsqueeze(0);
            var logits = session.Run(ids, ones_like(ids), arange(block.Length).unsqueeze(0));
            sum += nn.functional.cross_entropy(
                logits[0].narrow(0, 0, block.Length - 1), ids[0].narrow(0, 1, block.Length - 1)).item<float>();
        }

        return sum / BlockCount;
    }

    public sealed class Float32Loss
    {
        public Float32Loss()
        {
            using var model = TestModels.Tales();
            using var folder = new TemporaryFolder();
            ByteCount = OnnxExporter.Export(model, null, folder["tales"])[0].ByteCount;
            using var session = LogitComparison.Open(folder["tales"]);
            Loss = PrecisionTests.Loss(session);
        }

        public double Loss { get; }

        public long ByteCount { get; }
    }
}
