using MLTransfer.Torch.Training.Optimizers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Optimizers;

public class NewtonSchulzTests
{
    [Theory]
    [InlineData(5, 9, 5)]
    [InlineData(150, 170, 5)] // rows in parts, the last one smaller
    [InlineData(150, 300, 7)]
    [InlineData(40, 40, 1)]
    public void Several_iterations_at_a_time_are_those_of_the_definition_in_float64(int rows, int columns, int iterations)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(4);
        // Columns of sizes from 1 to 1e-4: a gradient's singular values lie as far apart.
        var sizes = logspace(0, -4, columns);
        var matrices = randn([2, rows, columns], generator: generator) * sizes;
        var options = new MuonOptions { Iterations = iterations };
        var (a, b, c) = (options.Coefficients[0], options.Coefficients[1], options.Coefficients[2]);
        var expected = matrices.to(ScalarType.Float64);
        expected = expected / expected.square().sum([1, 2], keepdim: true).sqrt();
        for (var i = 0; i < iterations; i++)
        {
            var square = expected.matmul(expected.transpose(1, 2));
            expected = a * expected + (b * square + c * square.matmul(square)).matmul(expected);
        }

        var actual = NewtonSchulz.Orthogonalize(matrices, options).to(ScalarType.Float64);
        var difference = (actual - expected).norm().item<double>() / expected.norm().item<double>();
        TestContext.Current.TestOutputHelper?.WriteLine($"differs by {difference:g3}");
        Assert.True(difference < 5e-5, $"differs by {difference}");
    }
}
