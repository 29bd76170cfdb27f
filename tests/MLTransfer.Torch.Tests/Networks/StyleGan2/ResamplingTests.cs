using MLTransfer.Torch.Networks.StyleGan2;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.StyleGan2;

/// <summary>The filters against loops over pixels.</summary>
public sealed class ResamplingTests
{
    private static readonly double[] s_taps = [1 / 8.0, 3 / 8.0, 3 / 8.0, 1 / 8.0];

    private readonly Tensor _images = Pattern(2, 3, 6, 5);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    public void Smoothing_equals_loops_over_pixels(int padding, int stride)
    {
        using var scope = NewDisposeScope();
        AssertClose(Filtered(_images, padding, padding, stride, gain: 3), Resampling.Smooth(_images, padding, stride, gain: 3));
    }

    [Fact]
    public void Smoothing_in_bfloat16_equals_loops_but_for_rounding()
    {
        using var scope = NewDisposeScope();
        var actual = Resampling.Smooth(_images.to(ScalarType.BFloat16), padding: 1, stride: 2).to(ScalarType.Float64);
        AssertClose(Filtered(_images, 1, 1, 2, gain: 1), actual, 0.01);
    }

    [Fact]
    public void Doubling_equals_zeros_between_pixels_and_the_filter_times_four()
    {
        using var scope = NewDisposeScope();
        var (height, width) = (_images.shape[2], _images.shape[3]);
        var spread = zeros([2, 3, 2 * height, 2 * width], ScalarType.Float64);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                spread[.., .., 2 * y, 2 * x] = _images[.., .., y, x];
        }

        AssertClose(Filtered(spread, before: 2, after: 1, stride: 1, gain: 4), Resampling.Double(_images));
    }

    [Fact]
    public void Gradients_of_the_filters_equal_finite_differences()
    {
        AssertGradient(x => Resampling.Smooth(x, padding: 2));
        AssertGradient(x => Resampling.Smooth(x, padding: 1, stride: 2));
        AssertGradient(Resampling.Double);
    }

    [Fact]
    public void A_constant_image_stays_the_same_inside_its_borders()
    {
        using var scope = NewDisposeScope();
        var doubled = Resampling.Double(ones(1, 1, 6, 6))[.., .., 1..^1, 1..^1];
        Assert.True((doubled - 1).abs().max().item<float>() < 1e-6);
    }

    private static Tensor Pattern(params long[] shape) =>
        (arange(shape.Aggregate((a, b) => a * b), ScalarType.Float64) * 0.7).sin().view(shape);

    private static Tensor Filtered(Tensor images, int before, int after, int stride, double gain)
    {
        var (height, width) = (images.shape[2], images.shape[3]);
        var (newHeight, newWidth) = ((height + before + after - 4) / stride + 1, (width + before + after - 4) / stride + 1);
        var source = images.data<double>().ToArray();
        var target = new double[images.shape[0] * images.shape[1] * newHeight * newWidth];
        for (var i = 0; i < target.Length; i++)
        {
            var (plane, y, x) = (i / (newHeight * newWidth), i / newWidth % newHeight, i % newWidth);
            for (var dy = 0; dy < 4; dy++)
            {
                for (var dx = 0; dx < 4; dx++)
                {
                    var (sourceY, sourceX) = (y * stride + dy - before, x * stride + dx - before);
                    if (sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width)
                        target[i] += gain * s_taps[dy] * s_taps[dx] * source[(plane * height + sourceY) * width + sourceX];
                }
            }
        }

        return tensor(target, [images.shape[0], images.shape[1], newHeight, newWidth]);
    }

    private void AssertGradient(Func<Tensor, Tensor> filter)
    {
        const double step = 1e-4;
        using var scope = NewDisposeScope();
        var input = _images.clone().requires_grad_(true);
        var output = filter(input);
        var weights = Pattern(output.shape).cos();
        (output * weights).sum().backward();
        var expected = zeros_like(_images);
        for (var i = 0; i < _images.numel(); i++)
        {
            using var inner = NewDisposeScope();
            var change = zeros_like(_images);
            change.view(-1)[i] = step;
            expected.view(-1)[i] = ((filter(_images + change) - filter(_images - change)) * weights).sum() / (2 * step);
        }

        AssertClose(expected, input.grad!, 1e-6);
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance = 1e-12)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<double>();
        Assert.True(difference < tolerance, $"worst difference {difference}");
    }
}
