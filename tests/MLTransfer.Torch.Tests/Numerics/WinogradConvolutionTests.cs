using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Tests.Numerics;

public sealed unsafe class WinogradConvolutionTests
{
    [Theory]
    [InlineData(3, 1, 32, 32, 200)]
    [InlineData(11, 5, 64, 64, 137)]
    [InlineData(7, 3, 40, 33, 61)]
    [InlineData(5, 2, 4, 8, 9)]
    [InlineData(1, 1, 16, 48, 3)]
    [InlineData(11, 7, 48, 16, 1)]
    public void Outputs_are_those_of_libtorchs_convolution(int kernel, int dilation, int inputs, int outputs, int steps)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var (x, weight) = (randn([1, inputs, steps], generator: generator), randn([outputs, inputs, kernel], generator: generator));
        var (bias, addend) = (randn([outputs], generator: generator), randn([steps, outputs], generator: generator));
        var exact = F.conv1d(
            x.to(float64), weight.to(float64), bias.to(float64), padding: (kernel - 1) / 2 * dilation, dilation: dilation)[0].t() + addend;

        var (before, after) = WinogradConvolution.Room(steps, kernel, dilation);
        var rows = zeros(before + steps + after, inputs);
        rows.narrow(0, before, steps).copy_(x[0].t());
        var (plain, activated) = (empty(steps, outputs), empty(steps, outputs));
        WinogradConvolution.Compute(
            At(rows, before), steps, inputs, WinogradConvolution.Pack(weight), kernel, dilation, bias,
            new WinogradTarget { Addend = At(addend, 0), Plain = At(plain, 0), Activated = At(activated, 0), Slope = 0.1f });

        var size = Math.Sqrt(inputs * kernel); // the deviation of an output
        Assert.InRange((plain - exact).abs().max().item<double>() / size, 0, 2e-5);
        Assert.True(activated.equal(F.leaky_relu(plain, 0.1)).all().item<bool>());
    }

    private static float* At(Tensor rows, int row) => (float*)NativeTensor.Pointer(rows) + row * rows.shape[1];
}
