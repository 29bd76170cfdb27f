using System.Runtime.Intrinsics;
using FsCheck.Xunit;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Numerics;

public class RowProductTests
{
    /// <summary>Large enough for several blocks, and no multiple of any vector or panel.</summary>
    private const int LargeInputs = 523;

    private const int LargeOutputs = 613;

    private static readonly ScalarType[] s_types = [ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16];

    /// <summary>The weights' type, and whether they lie as [outputs, inputs].</summary>
    public static TheoryData<ScalarType, bool> Kinds =>
        [.. s_types.SelectMany(type => (TheoryDataRow<ScalarType, bool>[])[new(type, false), new(type, true)])];

    [Property(MaxTest = 80)]
    public void Every_vector_width_computes_what_plain_numbers_and_libtorch_compute(ushort seed)
    {
        var random = new Random(seed);
        var (rows, inputs, outputs) = (random.Next(1, RowProduct.MaximumRows + 1), random.Next(1, 150), random.Next(1, 150));
        using var scope = NewDisposeScope();
        var problem = new Problem(seed, rows, inputs, outputs, s_types[random.Next(3)], random.Next(2) == 0, random.Next(2) == 0);
        var expected = problem.WithLibtorch();
        var twin = problem.Compute<ScalarLanes, float>();
        AssertClose(expected, twin);
        AssertClose(expected, problem.Compute<Lanes128, Vector128<float>>());
        AssertClose(expected, problem.Compute<Lanes256, Vector256<float>>());
        AssertClose(expected, problem.Compute<Lanes512, Vector512<float>>());
        AssertClose(expected, problem.Compute());

        // In this layout each element's terms are added in the same order, whatever the vectors.
        if (!problem.Matrix.IsOutputByInput && outputs % 32 == 0)
            Assert.Equal(
                problem.Compute<ScalarLanes, float>(Activation.None), problem.Compute<Lanes512, Vector512<float>>(Activation.None));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Neither_threads_nor_other_rows_change_a_bit(ScalarType type, bool isOutputByInput)
    {
        using var scope = NewDisposeScope();
        var all = new Problem(3, RowProduct.MaximumRows, LargeInputs, LargeOutputs, type, isOutputByInput, true);
        var expected = all.Compute();
        AssertClose(all.WithLibtorch(), expected);
        for (var rows = 1; rows <= RowProduct.MaximumRows; rows++)
        {
            foreach (var threads in (int[])[1, 2, 3])
            {
                Assert.Equal(expected[..(rows * LargeOutputs)], all.Compute(rows, 0, threads));
                Assert.Equal(expected[^(rows * LargeOutputs)..], all.Compute(rows, RowProduct.MaximumRows - rows, threads));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Many_threads_that_compute_at_once_do_not_disturb_each_other(ScalarType type, bool isOutputByInput)
    {
        using var scope = NewDisposeScope();
        var problem = new Problem(4, 3, LargeInputs, LargeOutputs, type, isOutputByInput, false);
        var expected = problem.Compute();
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            Assert.Equal(expected, problem.Compute(3, 0, 1 + i % 3));
            if (i % 16 == 0)
                Thread.Sleep(1); // long enough for the workers to fall asleep
        });
    }

    [Fact]
    public unsafe void Every_float16_is_widened_exactly_by_every_vector_width()
    {
        var all = new Half[1 << 16];
        for (var bits = 0; bits < all.Length; bits++)
            all[bits] = BitConverter.UInt16BitsToHalf((ushort)bits);
        Check<ScalarLanes, float>();
        Check<Lanes128, Vector128<float>>();
        Check<Lanes256, Vector256<float>>();
        Check<Lanes512, Vector512<float>>();

        void Check<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var actual = new float[all.Length];
            fixed (Half* source = all)
            fixed (float* target = actual)
            {
                for (var i = 0; i < all.Length; i += 2 * TLanes.Count)
                {
                    TLanes.Widen(source + i, out var even, out var odd);
                    TLanes.Interleave(ref even, ref odd);
                    TLanes.Store(even, target + i);
                    TLanes.Store(odd, target + i + TLanes.Count);
                }
            }

            for (var bits = 0; bits < all.Length; bits++)
            {
                if (Half.IsNaN(all[bits]))
                    Assert.True(float.IsNaN(actual[bits]));
                else
                    Assert.Equal(BitConverter.SingleToUInt32Bits((float)all[bits]), BitConverter.SingleToUInt32Bits(actual[bits]));
            }
        }
    }

    [Theory]
    [InlineData(Activation.GeluTanh)]
    [InlineData(Activation.QuickGelu)]
    [InlineData(Activation.Silu)]
    [InlineData(Activation.Relu)]
    internal void Activations_are_those_of_libtorch(Activation activation)
    {
        using var scope = NewDisposeScope();
        var x = cat([linspace(-12, 12, 1001), tensor([-1e30f, -200, -0f, 0, 200, 1e30f])], 0);
        var expected = activation switch
        {
            Activation.GeluTanh => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
            Activation.QuickGelu => x * sigmoid(x * 1.702),
            Activation.Silu => nn.functional.silu(x),
            _ => nn.functional.relu(x),
        };
        var actual = new float[x.numel()];
        RowProduct.Finish(NativeTensor.AsSpan<float>(x), actual, activation, accumulate: false);
        AssertClose(NativeTensor.AsSpan<float>(expected).ToArray(), actual);

        var sum = Enumerable.Repeat(2f, actual.Length).ToArray();
        RowProduct.Finish(NativeTensor.AsSpan<float>(x), sum, activation, accumulate: true);
        AssertClose([.. actual.Select(value => value + 2)], sum);
    }

    internal static void AssertClose(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, float tolerance = 1e-5f)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(MathF.Abs(expected[i] - actual[i]) <= tolerance * (1 + MathF.Abs(expected[i]))))
                Assert.Fail($"element {i} is {actual[i]}, expected {expected[i]}");
        }
    }

    private sealed class Problem
    {
        private readonly Tensor _input;
        private readonly Tensor _weight;
        private readonly Tensor? _bias;
        private readonly Tensor _residual;

        public Problem(int seed, int rows, int inputs, int outputs, ScalarType type, bool isOutputByInput, bool hasBias)
        {
            using var generator = new Generator((ulong)seed);
            _input = randn([rows, inputs], generator: generator) / Math.Sqrt(inputs);
            _weight = (isOutputByInput ? randn([outputs, inputs], generator: generator)
                : randn([inputs, outputs], generator: generator)).to(type);
            _bias = hasBias ? randn([outputs], generator: generator).to(type) : null;
            _residual = randn([rows, outputs], generator: generator);
            Matrix = RowMatrix.Of(_weight, _bias, isOutputByInput);
        }

        public RowMatrix Matrix { get; }

        private int Rows => (int)_input.shape[0];

        public float[] WithLibtorch()
        {
            using var scope = NewDisposeScope();
            var weight = _weight.to(ScalarType.Float64);
            var product = mm(_input.to(ScalarType.Float64), Matrix.IsOutputByInput ? weight.t() : weight);
            if (_bias is not null)
                product += _bias;
            var sum = _residual + nn.functional.gelu(product, TorchSharp.Modules.GELU.Approximate.tanh);
            return NativeTensor.AsSpan<float>(sum.to(ScalarType.Float32)).ToArray();
        }

        public float[] Compute() => Compute(Rows, 0, 1);

        public float[] Compute(int rows, int first, int threads)
        {
            var output = Residual(rows, first);
            RowProduct.Compute(Input(rows, first), rows, Matrix, output, threads, Activation.GeluTanh, accumulate: true);
            return output;
        }

        public float[] Compute<TLanes, TVector>(Activation activation = Activation.GeluTanh)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var output = Residual(Rows, 0);
            RowProduct.Compute<TLanes, TVector>(Input(Rows, 0), Rows, Matrix, output, 1, activation, accumulate: true);
            return output;
        }

        private ReadOnlySpan<float> Input(int rows, int first) =>
            NativeTensor.AsSpan<float>(_input).Slice(first * Matrix.Inputs, rows * Matrix.Inputs);

        private float[] Residual(int rows, int first) =>
            NativeTensor.AsSpan<float>(_residual).Slice(first * Matrix.Outputs, rows * Matrix.Outputs).ToArray();
    }
}
