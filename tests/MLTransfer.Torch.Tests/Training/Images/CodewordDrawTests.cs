using MLTransfer.Torch.Training.Images;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Images;

public sealed class CodewordDrawTests
{
    private static readonly float[] s_logits = [0.3f, -0.7f, 1.1f, 0.2f];
    private static readonly float[] s_noise = [0.9f, 0.1f, -0.2f, 0.4f];
    private static readonly float[] s_upstream = [0.5f, -1, 2, 0.25f];

    [Theory]
    [InlineData(CodewordRelaxation.Soft)]
    [InlineData(CodewordRelaxation.StraightThrough)]
    [InlineData(CodewordRelaxation.ReinMax)]
    public void Weights_and_gradients_are_those_of_the_formulas(CodewordRelaxation relaxation)
    {
        using var scope = NewDisposeScope();
        const double temperature = 0.7;
        var logits = tensor(s_logits).view(1, 4, 1, 1).requires_grad_(true);
        var weights = CodewordDraw.Weights(logits, tensor(s_noise).view(1, 4, 1, 1), temperature, relaxation);
        (weights * tensor(s_upstream).view(1, 4, 1, 1)).sum().backward();

        var soft = Softmax(s_logits.Zip(s_noise, (z, g) => (z + g) / temperature));
        double[] hard = [1, 0, 0, 0]; // 1.2 is the largest sum
        var expected = relaxation == CodewordRelaxation.Soft ? soft : hard;
        double[] gradient;
        if (relaxation == CodewordRelaxation.ReinMax)
        {
            var plain = Softmax(s_logits.Select(z => (double)z));
            var middle = Softmax(s_logits.Select(z => z / temperature)).Zip(hard, (p, d) => (p + d) / 2).ToArray();
            gradient = [.. Slope(middle).Zip(Slope(plain), (of, less) => 2 * of - 0.5 * less)];
        }
        else
        {
            gradient = [.. Slope(soft).Select(slope => slope / temperature)];
        }

        Near(expected, weights);
        Near(gradient, logits.grad!);

        static double[] Softmax(IEnumerable<double> values)
        {
            var powers = values.Select(Math.Exp).ToArray();
            return [.. powers.Select(power => power / powers.Sum())];
        }

        // what a softmax's Jacobian makes of the gradient by its output
        static double[] Slope(double[] p)
        {
            var mean = p.Zip(s_upstream, (share, up) => share * up).Sum();
            return [.. p.Zip(s_upstream, (share, up) => share * (up - mean))];
        }

        static void Near(double[] expected, Tensor actual)
        {
            foreach (var (value, wanted) in actual.data<float>().ToArray().Zip(expected))
                Assert.Equal(wanted, value, 1e-6);
        }
    }

    [Fact]
    public void Noise_is_that_of_the_row_whatever_is_beside_it_and_has_a_gumbel_distribution()
    {
        using var scope = NewDisposeScope();
        var two = CodewordDraw.Noise([5, 7], [50, 20, 20], CPU);
        Assert.True(CodewordDraw.Noise([7], [50, 20, 20], CPU)[0].equal(two[1]).all().item<bool>());
        Assert.False(two[0].equal(two[1]).any().item<bool>());
        Assert.Equal(0.5772, two.mean().item<float>(), 0.02);
        Assert.Equal(Math.PI * Math.PI / 6, two.var().item<float>(), 0.05);
        Assert.Equal(Math.Exp(-1), (two < 0).to(float32).mean().item<float>(), 0.01);
    }

    [Fact]
    public void Codewords_are_drawn_in_proportion_to_the_exponentials_of_logits()
    {
        using var scope = NewDisposeScope();
        var logits = tensor((float[])[(float)Math.Log(0.6), (float)Math.Log(0.3), (float)Math.Log(0.1)])
            .view(1, 3, 1, 1).expand(1, 3, 100, 100);
        var drawn = CodewordDraw.Weights(logits, CodewordDraw.Noise([3], [3, 100, 100], CPU), 0.1, CodewordRelaxation.StraightThrough);
        var shares = drawn.mean([0, 2, 3]).data<float>().ToArray();
        Assert.Equal(0.6, shares[0], 0.02);
        Assert.Equal(0.3, shares[1], 0.02);
        Assert.Equal(0.1, shares[2], 0.02);
    }
}
