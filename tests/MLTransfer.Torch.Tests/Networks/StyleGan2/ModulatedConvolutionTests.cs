using MLTransfer.Torch.Networks.StyleGan2;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Tests.Networks.StyleGan2;

/// <summary>The shared convolution against the formula, with weights of each sample's own.</summary>
public sealed class ModulatedConvolutionTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Outputs_and_gradients_equal_those_with_weights_for_each_sample(bool doubles)
    {
        using var scope = NewDisposeScope();
        Tensor[] actualInputs = Inputs(), expectedInputs = Inputs();
        var actual = ModulatedConvolution.Convolve(actualInputs[0], actualInputs[1], actualInputs[2], doubles)
            * ModulatedConvolution.Demodulation(actualInputs[1], actualInputs[2]).unsqueeze(-1).unsqueeze(-1);
        var expected = WithWeightsForEachSample(expectedInputs[0], expectedInputs[1], expectedInputs[2], doubles);
        AssertClose(expected, actual);

        var slope = (arange(actual.numel(), ScalarType.Float64) * 0.3).sin().view(actual.shape);
        (actual * slope).sum().backward();
        (expected * slope).sum().backward();
        foreach (var (expectedInput, actualInput) in expectedInputs.Zip(actualInputs))
            AssertClose(expectedInput.grad!, actualInput.grad!);
    }

    private static Tensor[] Inputs() =>
        [Wave(0.1, 3, 4, 6, 6), Wave(0.7, 5, 4, 3, 3), Wave(0.9, 3, 4)]; // [N, input, R, R], [output, input, 3, 3], [N, input]

    private static Tensor Wave(double frequency, params long[] shape) =>
        (arange(shape.Aggregate((a, b) => a * b), ScalarType.Float64) * frequency).sin().view(shape).requires_grad_(true);

    private static Tensor WithWeightsForEachSample(Tensor input, Tensor weight, Tensor styles, bool doubles)
    {
        var weights = weight.unsqueeze(0) * styles.view(3, 1, 4, 1, 1);                            // [N, output, input, 3, 3]
        weights = weights * (weights.square().sum([2, 3, 4], keepdim: true) + 1e-8).rsqrt();
        var outputs = Enumerable.Range(0, 3).Select(i => doubles
            ? F.conv_transpose2d(input[i].unsqueeze(0), weights[i].transpose(0, 1), strides: [2, 2])
            : F.conv2d(input[i].unsqueeze(0), weights[i], padding: [1, 1])).ToArray();
        var output = cat(outputs, 0);
        return doubles ? Resampling.Smooth(output, padding: 1, gain: 4) : output;
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<double>();
        Assert.True(difference < 1e-10, $"worst difference {difference}");
    }
}
