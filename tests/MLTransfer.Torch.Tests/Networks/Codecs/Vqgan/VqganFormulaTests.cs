using MLTransfer.Torch.Networks.Codecs.Vqgan;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs.Vqgan;

/// <summary>Configurations that no file of the reference has, against <see cref="VqganFromTheFormulas"/>.</summary>
public class VqganFormulaTests
{
    /// <summary>Levels, blocks, sides with attention, the nominal side, convolutions between levels, height and width.</summary>
    [Theory]
    [InlineData(new[] { 1, 2, 1 }, 1, new[] { 10 }, 20, true, 8, 12)] // attention by the nominal side, whatever the picture's
    [InlineData(new[] { 1, 1 }, 2, new[] { 8, 4 }, 8, false, 8, 8)]
    [InlineData(new[] { 2 }, 1, new int[0], 7, true, 5, 3)]           // codes of a pixel each
    [InlineData(new[] { 1, 2, 2 }, 1, new[] { 2, 8 }, 9, false, 8, 4)] // 9, 4, 2 and back 2, 4, 8
    public void Vectors_and_pictures_equal_the_formulas(
        int[] multipliers, int blocks, int[] attention, int resolution, bool convolutions, int height, int width)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var configuration = VqganModel.Configure(
            resolution, codebookSize: 11, codewordWidth: 5, channels: 32, multipliers, blocks, attention, latentChannels: 3);
        configuration["ddconfig"]!["resamp_with_conv"] = convolutions;
        using var codec = VqganModel.Create(configuration, seed: 4);
        var weights = codec.CheckpointTensors().ToDictionary();
        foreach (var (name, weight) in weights)
            weight.add_(randn(weight.shape, generator: new Generator((ulong)name.Length)) * 0.1); // norms and biases too
        var formulas = new VqganFromTheFormulas(weights, configuration);

        var image = randn([1, 3, height, width], generator: new Generator(6));
        AssertClose(formulas.Encode(Maps(image)), codec.Embed(image));
        var codewords = randn([1, 5, height / codec.DownsamplingFactor, width / codec.DownsamplingFactor], generator: new Generator(7));
        AssertClose(formulas.Decode(Maps(codewords)), codec.Reconstruct(codewords));
    }

    [Fact]
    public void A_code_is_the_number_of_the_nearest_codeword_and_the_first_of_equal_ones()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var configuration = VqganModel.Configure(4, codebookSize: 7, codewordWidth: 2, channels: 32, [1, 1], 1);
        using var codec = VqganModel.Create(configuration, seed: 4);
        codec.Quantizer.Codewords.copy_(tensor(new float[] { 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, -2, 0, 0, -2 }, [7, 2]));
        var vectors = tensor(new float[] { 0.9f, 0.1f, -3, 0.2f, 0.8f, 0.2f, 1, -0.9f }, [1, 2, 2, 2]);
        Assert.Equal([3L, 0, 5, 0], [.. codec.Quantizer.Nearest(vectors).data<long>()]);
    }

    private static double[][][] Maps(Tensor maps) => [.. Enumerable.Range(0, (int)maps.shape[1]).Select(c =>
        Enumerable.Range(0, (int)maps.shape[2]).Select(i => maps[0, c, i].to(ScalarType.Float64).data<double>().ToArray()).ToArray())];

    private static void AssertClose(double[][][] expected, Tensor actual)
    {
        var found = Maps(actual);
        Assert.Equal((expected.Length, expected[0].Length, expected[0][0].Length), (found.Length, found[0].Length, found[0][0].Length));
        double[] all = [.. expected.SelectMany(m => m.SelectMany(l => l))], others = [.. found.SelectMany(m => m.SelectMany(l => l))];
        Assert.All(all.Zip(others), pair => Assert.Equal(pair.First, pair.Second, 2e-5 * (1 + all.Max(Math.Abs))));
        Assert.True(all.Max() - all.Min() > 0.1, "nothing is computed");
    }
}
