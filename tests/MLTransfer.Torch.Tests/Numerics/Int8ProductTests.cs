using System.Runtime.Intrinsics;
using FsCheck.Xunit;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Numerics;

public class Int8ProductTests
{
    /// <summary>More than one group of inputs and several blocks of outputs, and no multiple of a tile.</summary>
    private const int LargeInputs = 1301;

    private const int LargeOutputs = 613;

    [Property(MaxTest = 80)]
    public void Every_vector_width_computes_the_bits_of_plain_numbers_and_what_the_rounded_weights_give(ushort seed)
    {
        var random = new Random(seed);
        using var scope = NewDisposeScope();
        using var problem = new Problem(
            seed, random.Next(1, 30), random.Next(1, random.Next(2) == 0 ? 40 : 1200), random.Next(1, 150), random.Next(2) == 0,
            random.Next(2) == 0);
        var twin = problem.Compute<ScalarPairs, int>();
        Assert.Equal(twin, problem.Compute<PairLanes128, Vector128<int>>());
        Assert.Equal(twin, problem.Compute<PairLanes256, Vector256<int>>());
        Assert.Equal(twin, problem.Compute<PairLanes512, Vector512<int>>());
        Assert.Equal(twin, problem.Compute());
        problem.AssertDistance(twin, Activation.None, 1e-4);
        problem.AssertDistance(problem.Compute(activation: Activation.GeluTanh), Activation.GeluTanh, 1e-4);
    }

    [Fact]
    public void Neither_threads_nor_other_rows_change_a_bit()
    {
        using var scope = NewDisposeScope();
        const int Rows = 21;
        using var all = new Problem(3, Rows, LargeInputs, LargeOutputs, isOutputByInput: true, hasBias: true);
        var expected = all.Compute();
        foreach (var rows in (int[])[1, 2, 3, 4, 7, 8, 12, 20])
        {
            foreach (var threads in (int[])[1, 3])
            {
                Assert.Equal(expected[..(rows * LargeOutputs)], all.Compute(rows, 0, threads));
                Assert.Equal(expected[^(rows * LargeOutputs)..], all.Compute(rows, Rows - rows, threads));
            }
        }
    }

    [Fact]
    public void Many_threads_that_compute_at_once_do_not_disturb_each_other()
    {
        using var scope = NewDisposeScope();
        using var problem = new Problem(4, 3, LargeInputs, LargeOutputs, isOutputByInput: false, hasBias: false);
        var expected = problem.Compute();
        Parallel.For(
            0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => Assert.Equal(expected, problem.Compute(3, 0, 1 + i % 3)));
    }

    [Fact]
    public void The_largest_sums_do_not_overflow()
    {
        using var scope = NewDisposeScope();
        using var matrix = Int8Matrix.Quantize(ones(40, 2048), isOutputByInput: true);
        var input = Enumerable.Repeat(-3f, 2048).ToArray();
        foreach (var output in (
            float[][])[Compute<ScalarPairs, int>(), Compute<PairLanes128, Vector128<int>>(), Compute<PairLanes512, Vector512<int>>()])
            Assert.All(output, value => Assert.Equal(-3f * 2048, value, 0.01f));

        float[] Compute<TPairs, TVector>()
            where TPairs : struct, IPairLanes<TVector>
            where TVector : unmanaged
        {
            var output = new float[40];
            Int8Product.Compute<TPairs, TVector>(input, matrix, default, output, 1, Activation.None, accumulate: false);
            return output;
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_a_number_stays_in_its_row_and_its_output(float value)
    {
        using var scope = NewDisposeScope();
        var weight = ones(70, 600);
        weight[40, 599] = value;
        using var matrix = Int8Matrix.Quantize(weight, isOutputByInput: true);
        var input = Enumerable.Repeat(1f, 5 * 600).ToArray();
        input[3 * 600 + 550] = value;
        var output = new float[5 * 70];
        Int8Product.Compute(input, matrix, default, output, 1);
        for (var i = 0; i < output.Length; i++)
            Assert.Equal(i / 70 == 3 || i % 70 == 40, float.IsNaN(output[i]));
    }

    [Fact]
    public void Zeros_and_numbers_near_the_smallest_give_zeros_and_no_NaN()
    {
        using var scope = NewDisposeScope();
        foreach (var (weight, input) in (
            ReadOnlySpan<(float, float)>)[(0, 1), (1, 0), (1e-38f, 1), (1, 1e-38f), (1e-38f, 1e-38f), (1e-44f, 1e-44f)])
        {
            using var matrix = Int8Matrix.Quantize(full([3, 5], weight), isOutputByInput: true);
            var output = new float[3];
            Int8Product.Compute([input, input, input, input, input], matrix, default, output, 1);
            Assert.All(output, value => Assert.Equal(0, value, 1e-30f));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weights_are_within_half_a_step_of_what_they_were_and_a_channels_largest_one_is_exact(bool isOutputByInput)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var weight = randn([67, 129], generator: generator) * pow(10, randn([67, 1], generator: generator));
        using var matrix = Int8Matrix.Quantize((isOutputByInput ? weight : weight.t()).contiguous(), isOutputByInput);
        Assert.Equal((129, 67), (matrix.Inputs, matrix.Outputs));
        var row = new float[129];
        for (var output = 0; output < 67; output++)
        {
            matrix.ReadOutput(output, row);
            var expected = NativeTensor.AsSpan<float>(weight[output]).ToArray();
            var largest = expected.Max(MathF.Abs);
            Assert.Equal(largest / 127, matrix.Scales[output]);
            Assert.Equal(largest, row.Max(MathF.Abs), largest * 1e-6f);
            for (var input = 0; input < row.Length; input++)
                Assert.Equal(expected[input], row[input], largest / 127 * 0.5001f);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.ReadOutput(67, row));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.ReadOutput(-1, row));
    }

    private sealed class Problem(int seed, int rows, int inputs, int outputs, bool isOutputByInput, bool hasBias)
        : QuantizedProblem<Int8Matrix>(seed, rows, inputs, outputs, isOutputByInput, hasBias, Int8Matrix.Quantize)
    {
        public float[] Compute<TPairs, TVector>()
            where TPairs : struct, IPairLanes<TVector>
            where TVector : unmanaged
        {
            var output = Residual(Rows, 0);
            Int8Product.Compute<TPairs, TVector>(Input(Rows, 0), Matrix, Bias, output, 1, Activation.None, accumulate: true);
            return output;
        }
    }
}
