using MLTransfer.Torch.Layers.Fused;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Layers;

/// <summary>Operations in one pass give what libtorch's operations give, and their gradients.</summary>
public sealed class FusedFunctionTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly Generator _random = new(7);

    public void Dispose()
    {
        _scope.Dispose();
        _random.Dispose();
    }

    [Theory]
    [InlineData(ScalarType.Float32, ScalarType.Float32, true, false, 48)]
    [InlineData(ScalarType.Float32, ScalarType.Float32, true, true, 37)] // no multiple of a vector's length
    [InlineData(ScalarType.Float32, ScalarType.Float32, false, false, 5)]
    [InlineData(ScalarType.BFloat16, ScalarType.Float32, true, false, 48)]
    [InlineData(ScalarType.BFloat16, ScalarType.BFloat16, true, true, 37)]
    public void Root_mean_square_normalization_is_that_of_the_formula(
        ScalarType inputType, ScalarType outputType, bool hasWeight, bool onePlus, int width)
    {
        var x = Normal(inputType, 3, 1000, width).requires_grad_(true); // more rows than a block has
        var weight = hasWeight ? Normal(ScalarType.Float32, width).requires_grad_(true) : null;
        var given = Normal(outputType, 3, 1000, width);

        var wide = x.to(ScalarType.Float64);
        var factor = weight is null ? ones(width, ScalarType.Float64) : weight.to(ScalarType.Float64) + (onePlus ? 1 : 0);
        var expected = wide * (wide.square().mean([-1], keepdim: true) + 1e-5).rsqrt() * factor;
        var gradients = Gradients(expected, given.to(ScalarType.Float64), x, weight);

        var actual = RootMeanSquareFunction.Call(x, weight, onePlus, 1e-5, outputType);
        Assert.Equal(outputType, actual.dtype);
        AssertClose(expected, actual, outputType);
        Assert.All(gradients.Zip(Gradients(actual, given, x, weight)), pair => AssertClose(pair.First, pair.Second, inputType));
        using (no_grad())
            Assert.True(RootMeanSquareFunction.Call(x, weight, onePlus, 1e-5, outputType).equal(actual).all().item<bool>());
    }

    [Theory]
    [InlineData(ScalarType.Float32, false, 16)]
    [InlineData(ScalarType.Float32, true, 16)]
    [InlineData(ScalarType.Float32, false, 10)] // the rest of a head stays as it is
    [InlineData(ScalarType.BFloat16, false, 16)]
    [InlineData(ScalarType.BFloat16, true, 6)]
    public void A_rotation_is_that_of_the_formula(ScalarType type, bool neighbours, int turned)
    {
        var heads = Normal(type, 2, 4, 300, 16).requires_grad_(true).transpose(1, 2); // [batch, length, heads, width]: no copy of it
        var leaf = heads.detach().requires_grad_(true);
        var angles = Normal(ScalarType.Float32, 2, 1, 300, turned / 2);
        var given = Normal(type, 2, 300, 4, 16);
        var (cosines, sines) = (angles.cos(), angles.sin());

        var (cos, sin) = (cosines.transpose(1, 2).to(ScalarType.Float64), sines.transpose(1, 2).to(ScalarType.Float64));
        var wide = leaf.to(ScalarType.Float64);
        var rest = wide.narrow(-1, turned, 16 - turned);
        var pairs = neighbours ? wide.narrow(-1, 0, turned).reshape(2, 300, 4, turned / 2, 2)
            : wide.narrow(-1, 0, turned).reshape(2, 300, 4, 2, turned / 2).transpose(-1, -2);
        var (a, b) = (pairs.select(-1, 0), pairs.select(-1, 1));
        var both = stack([a * cos - b * sin, b * cos + a * sin], -1);
        var expected = cat([(neighbours ? both : both.transpose(-1, -2)).reshape(2, 300, 4, turned), rest], -1);
        var gradient = Gradients(expected, given.to(ScalarType.Float64), leaf)[0];

        var actual = RotationFunction.Call(leaf, cosines, sines, neighbours);
        AssertClose(expected, actual, type);
        AssertClose(gradient, Gradients(actual, given, leaf)[0], type);
    }

    [Fact]
    public void Passes_forward_and_backward_leave_no_memory_behind()
    {
        var x = Normal(ScalarType.Float32, 64, 256, 256).requires_grad_(true); // 16 MiB
        var weight = ones(256).requires_grad_(true);
        long before = 0;
        for (var pass = 0; pass < 40; pass++)
        {
            using var scope = NewDisposeScope();
            RootMeanSquareFunction.Call(x * 2, weight, false, 1e-5, ScalarType.Float32).sum().backward();
            x.grad?.zero_();
            if (pass == 9)
                before = Environment.WorkingSet;
        }

        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 128 << 20); // 30 passes of 48 MiB and more
    }

    private static List<Tensor> Gradients(Tensor result, Tensor given, params ReadOnlySpan<Tensor?> leaves)
    {
        result.backward([given]);
        var found = new List<Tensor>();
        foreach (var leaf in leaves)
        {
            if (leaf is null)
                continue;
            found.Add(leaf.grad!.clone());
            leaf.grad!.zero_();
        }

        return found;
    }

    private static void AssertClose(Tensor expected, Tensor actual, ScalarType type)
    {
        var scale = expected.abs().max().to(ScalarType.Float64).item<double>();
        var difference = (expected - actual.to(ScalarType.Float64)).abs().max().item<double>();
        Assert.True(difference <= (type == ScalarType.BFloat16 ? 8e-3 : 3e-6) * scale, $"{difference} of {scale}");
    }

    private Tensor Normal(ScalarType type, params long[] shape) => randn(shape, generator: _random).to(type);
}
