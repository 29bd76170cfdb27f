using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Generation;

public class DecodingKernelsTests
{
    public static IEnumerable<TheoryDataRow<string, int, bool>> Cases =>
        from folder in (string[])["gpt2-tiny", "llama-tiny", "t5-tiny"]
        from rows in (int[])[1, 3]
        from isAdapted in (bool[])[false, true]
        where Directory.Exists(FamilyFolders.PathOf(folder))
        select new TheoryDataRow<string, int, bool>(folder, rows, isAdapted);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tokens_by_libtorch_are_those_by_row_kernels(string folder, int rows, bool isAdapted)
    {
        using var network = FamilyFolders.Load(folder);
        if (isAdapted)
            LowRankAdaptation.Attach(network, new LoraOptions { Rank = 2 }, seed: 1);

        var expected = Generate(network, DecodingKernels.Rows, rows);
        var actual = Generate(network, DecodingKernels.Libtorch, rows);

        Assert.Equal(expected.SelectMany(tokens => tokens.TokenIds), actual.SelectMany(tokens => tokens.TokenIds));
        Assert.All(expected.Zip(actual), pair =>
            Assert.Equal(pair.First.LogProbabilities.Sum(), pair.Second.LogProbabilities.Sum(), 1e-3));
        Assert.True(network.FastSteps > 0);
    }

    [Fact]
    public void What_was_measured_is_kept_by_all_steps_of_a_network()
    {
        using var network = TransformerNetwork.Create(
            new JsonObject
            {
                ["model_type"] = "gpt2", ["vocab_size"] = 300, ["n_positions"] = 32, ["n_embd"] = 128, ["n_layer"] = 2, ["n_head"] = 2,
            },
            seed: 1);
        using var half = network.ConvertTo(ScalarType.BFloat16);
        network.eval();
        half.eval();
        foreach (var each in (TransformerNetwork[])[network, half])
        {
            var choice = each.MeasureKernels(1)!;
            Assert.Contains("1 x 128 x 512", choice.Findings, StringComparison.Ordinal);
            Assert.Same(choice, each.MeasureKernels(1));
            Assert.Contains("8 x 128 x 512", each.MeasureKernels(3)!.Findings, StringComparison.Ordinal);
            Assert.Equal(Generate(each, choice.Kernels, 1)[0].TokenIds, Generate(each, DecodingKernels.Auto, 1)[0].TokenIds);
        }

        network.DecodingKernels = DecodingKernels.Libtorch;
        Assert.Null(network.MeasureKernels(1));
        using var tiny = FamilyFolders.Load("gpt2-tiny");
        Assert.Null(tiny.MeasureKernels(1)); // nothing that takes time
    }

    private static List<GeneratedTokens> Generate(TransformerNetwork network, DecodingKernels kernels, int rows)
    {
        network.DecodingKernels = kernels;
        var options = new GenerationOptions { MaximumNewTokens = 8, BatchSize = rows };
        return [.. new TokenGenerator(network).Generate(
            [.. Enumerable.Range(0, rows).Select(row => new[] { 5 + row, 7, 9 })], options, TestContext.Current.CancellationToken)
            .Select(sequences => sequences[0])];
    }
}
