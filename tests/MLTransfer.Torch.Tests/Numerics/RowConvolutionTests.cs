using System.Runtime.Intrinsics;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Numerics;

/// <summary>Convolutions on row kernels, with vectors of every width, against sums in float64.</summary>
public sealed class RowConvolutionTests
{
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(9, 21, 40, 3)]
    [InlineData(130, 64, 33, 2)] // several blocks of rows
    [InlineData(3, 2050, 5, 1)] // inputs of several panels
    [InlineData(5, 7, 300, 1)] // outputs that threads share
    public void Vectors_of_every_width_give_the_sums(int rows, int inputs, int outputs, int parts)
    {
        Check<Lanes512, Vector512<float>>(rows, inputs, outputs, parts);
        Check<Lanes256, Vector256<float>>(rows, inputs, outputs, parts);
        Check<Lanes128, Vector128<float>>(rows, inputs, outputs, parts);
        Check<ScalarLanes, float>(rows, inputs, outputs, parts);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(70, 100, 2)]
    [InlineData(3, 33, 3)]
    public unsafe void Few_outputs_are_products_of_runs(int rows, int inputs, int outputs)
    {
        using var scope = NewDisposeScope();
        var random = new SplitMix64(1);
        const int Stride = 2;
        var (x, w, b) = (Draw(ref random, (rows - 1) * Stride + inputs), Draw(ref random, outputs * inputs), Draw(ref random, outputs));
        var found = new float[rows * outputs];
        fixed (float* input = x, output = found)
            RowConvolution.ComputeFew(input, Stride, tensor(w).view(outputs, inputs), rows, tensor(b), output);
        for (var i = 0; i < found.Length; i++)
        {
            var (row, o) = (i / outputs, i % outputs);
            var sum = Enumerable.Range(0, inputs).Sum(k => (double)x[row * Stride + k] * w[o * inputs + k]) + b[o];
            Assert.Equal(sum, found[i], tolerance: 1e-5 * (1 + Math.Sqrt(inputs)));
        }
    }

    [Fact]
    public void Exponential_linear_units_are_exact_to_a_few_units_in_the_last_place()
    {
        for (var x = -100f; x < 3; x += 0.00317f)
        {
            var expected = x > 0 ? x : Math.Exp(x) - 1;
            Assert.Equal(expected, LaneFunctions.Elu<ScalarLanes, float>(x), tolerance: 3e-7 * Math.Abs(expected) + 1e-9);
            Assert.Equal(expected, LaneFunctions.Elu<Lanes128, Vector128<float>>(Vector128.Create(x))[1], 3e-7 * Math.Abs(expected) + 1e-9);
        }

        Assert.True(float.IsNaN(LaneFunctions.Elu<ScalarLanes, float>(float.NaN)));
        Assert.Equal(-1, LaneFunctions.Elu<ScalarLanes, float>(float.NegativeInfinity));
        Assert.Equal(float.PositiveInfinity, LaneFunctions.Elu<ScalarLanes, float>(float.PositiveInfinity));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    public void Gates_of_long_short_term_memory_are_as_the_formulas_say(int width)
    {
        var random = new SplitMix64(2);
        var (gates, cell, state) = (Draw(ref random, 4 * width), Draw(ref random, width), new float[width]);
        double[] earlier = [.. cell.Select(value => (double)value)];
        RecurrentGates.Apply(gates, cell, state);
        for (var i = 0; i < width; i++)
        {
            var memory = Sigmoid(gates[width + i]) * earlier[i] + Sigmoid(gates[i]) * Math.Tanh(gates[2 * width + i]);
            Assert.Equal(memory, cell[i], tolerance: 1e-6);
            Assert.Equal(Sigmoid(gates[3 * width + i]) * Math.Tanh(memory), state[i], tolerance: 1e-6);
        }

        static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
    }

    private static unsafe void Check<TLanes, TVector>(int rows, int inputs, int outputs, int parts)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        using var scope = NewDisposeScope();
        var random = new SplitMix64(3);
        var stride = inputs / 2 + 1; // neighbours overlap
        var length = (rows + RowConvolution.SpareRows) * stride + inputs;
        var x = Draw(ref random, parts * length);
        var weights = Draw(ref random, parts * inputs * outputs);
        var (bias, addend) = (Draw(ref random, outputs), Draw(ref random, rows * outputs));
        var packed = RowConvolution.Pack(tensor(weights).view(parts, inputs, outputs), 2 * TLanes.Count);
        var (plain, activated) = (new float[rows * outputs], new float[rows * outputs]);
        fixed (float* input = x, added = addend, first = plain, second = activated)
        {
            var all = new RowConvolution.Part[parts];
            for (var part = 0; part < parts; part++)
            {
                var packedPart = (float*)NativeTensor.Pointer(packed) + part * (packed.numel() / parts);
                all[part] = new((nint)(input + part * length), stride, inputs, (nint)packedPart);
            }

            RowConvolution.Compute<TLanes, TVector>(all, rows, tensor(bias), added, first, second);
        }

        for (var i = 0; i < plain.Length; i++)
        {
            var (row, output) = (i / outputs, i % outputs);
            double sum = bias[output] + addend[i];
            for (var part = 0; part < parts; part++)
            {
                for (var k = 0; k < inputs; k++)
                    sum += (double)x[part * length + row * stride + k] * weights[(part * inputs + k) * outputs + output];
            }

            var tolerance = 2e-6 * (1 + Math.Sqrt(inputs * parts)) * 3;
            Assert.Equal(sum, plain[i], tolerance);
            Assert.Equal(sum > 0 ? sum : Math.Exp(sum) - 1, activated[i], tolerance);
        }
    }

    private static float[] Draw(ref SplitMix64 random, int count)
    {
        var numbers = new float[count];
        for (var i = 0; i < count; i++)
            numbers[i] = (float)random.NextNormal();
        return numbers;
    }
}
