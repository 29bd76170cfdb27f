using System.Runtime.Intrinsics;
using FsCheck.Xunit;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Numerics;

public class RowAttentionTests
{
    [Property(MaxTest = 150)]
    public void Every_vector_width_attends_as_the_formula_says_and_neither_threads_nor_other_rows_change_a_bit(ushort seed)
    {
        using var scope = NewDisposeScope();
        var problem = new Problem(seed);
        var expected = problem.Expected();
        RowProductTests.AssertClose(expected, problem.Compute<ScalarLanes, float>(1));
        RowProductTests.AssertClose(expected, problem.Compute<Lanes128, Vector128<float>>(1));
        RowProductTests.AssertClose(expected, problem.Compute<Lanes256, Vector256<float>>(1));
        var actual = problem.Compute<Lanes512, Vector512<float>>(1);
        RowProductTests.AssertClose(expected, actual);
        foreach (var threads in (int[])[2, 3, 7]) // more threads than groups of heads split these
            Assert.Equal(actual, problem.Compute<Lanes512, Vector512<float>>(threads));
        for (var row = 0; row < problem.Rows; row++)
        {
            var width = problem.Heads * problem.HeadWidth;
            Assert.Equal(actual[(row * width)..][..width], problem.ComputeAlone<Lanes512, Vector512<float>>(row));
        }
    }

    [Property(MaxTest = 60)]
    public void A_head_by_itself_has_the_bits_that_it_has_beside_others(ushort seed)
    {
        using var scope = NewDisposeScope();
        var problem = new Problem(seed);
        Assert.Equal(problem.ComputeHeadByHead<Lanes512, Vector512<float>>(), problem.Compute<Lanes512, Vector512<float>>(1));
        Assert.Equal(problem.ComputeHeadByHead<Lanes256, Vector256<float>>(), problem.Compute<Lanes256, Vector256<float>>(2));
        Assert.Equal(problem.ComputeHeadByHead<Lanes128, Vector128<float>>(), problem.Compute<Lanes128, Vector128<float>>(5));
        Assert.Equal(problem.ComputeHeadByHead<ScalarLanes, float>(), problem.Compute<ScalarLanes, float>(3));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    public void A_cache_stores_parts_of_packed_rows_rounded_as_libtorch_rounds_and_attends_to_them(ScalarType type)
    {
        const int Rows = 3, Heads = 4, KeyValueHeads = 2, HeadWidth = 17, Layers = 2;
        using var scope = NewDisposeScope();
        using var cache = new KeyValueCache([.. Enumerable.Repeat((KeyValueHeads, HeadWidth), Layers)], Rows, 5, type, CPU);
        var packed = randn([4, Layers, Rows, (Heads + 2 * KeyValueHeads) * HeadWidth]); // [positions, layers, rows, q|k|v]
        var output = new float[Rows * Heads * HeadWidth];
        for (var position = 0; position < 4; position++)
        {
            for (var layer = 0; layer < Layers; layer++)
            {
                var row = NativeTensor.AsSpan<float>(packed[position, layer]);
                cache.Store(layer,
                    RowSlices.Within(row, Rows, Heads * HeadWidth, KeyValueHeads, HeadWidth),
                    RowSlices.Within(row, Rows, (Heads + KeyValueHeads) * HeadWidth, KeyValueHeads, HeadWidth));
                cache.Attend(
                    layer, RowSlices.Within(row, Rows, 0, Heads, HeadWidth), new() { Starts = new int[Rows], Scale = 0.5f }, output, 2);
                var keys = Part(layer, position, Heads, KeyValueHeads);
                var values = Part(layer, position, Heads + KeyValueHeads, KeyValueHeads);
                var query = packed[position, layer].view(Rows, -1, HeadWidth).narrow(1, 0, Heads).unsqueeze(2).to(ScalarType.Float64);
                var scores = matmul(query, Grouped(keys).transpose(2, 3)) * 0.5;
                RowProductTests.AssertClose(Floats(matmul(scores.softmax(-1), Grouped(values))), output);
            }

            cache.Advance(1);
        }

        Tensor Part(int layer, int position, int first, int heads) => // [rows, heads, positions, head width]
            packed.narrow(0, 0, position + 1).select(1, layer).view(position + 1, Rows, -1, HeadWidth)
                .narrow(2, first, heads).permute(1, 2, 0, 3).to(type);

        static Tensor Grouped(Tensor heads) => heads.to(ScalarType.Float64).repeat_interleave(Heads / KeyValueHeads, 1);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var scope = NewDisposeScope();
        var cache = CachedRows.Of(zeros(1, 2, 4, 8), zeros(1, 2, 4, 8));
        var (queries, output) = (new float[4 * 8], new float[4 * 8]);
        Assert.Throws<ArgumentException>(
            () => RowAttention.Compute(new(queries.AsSpan(0, 24), 1, 3, 8), cache, Sees(0, 4), output.AsSpan(0, 24), 1));
        Assert.Throws<ArgumentException>(() => RowAttention.Compute(new(queries, 1, 4, 8), cache, Sees(2, 2), output, 1));
        Assert.Throws<ArgumentException>(() => RowAttention.Compute(new(queries, 1, 4, 8), cache, Sees(0, 5), output, 1));
        Assert.Throws<ArgumentException>(() => RowAttention.Compute(
            new(queries, 1, 4, 8), cache, new() { Starts = new int[1], Scale = 1, Bias = new float[15] }, output, 1));
        Assert.ThrowsAny<ArgumentException>(() => cache.Store(4, new(queries.AsSpan(0, 16), 1, 2, 8), new(queries.AsSpan(0, 16), 1, 2, 8)));
        Assert.Throws<ArgumentException>(() => CachedRows.Of(zeros(1, 2, 4, 8), zeros(1, 2, 4, 9)));

        static AttentionRows Sees(int start, int end) => new() { Starts = new[] { start }, Ends = new[] { end }, Scale = 1 };
    }

    private static float[] Floats(Tensor tensor) => NativeTensor.AsSpan<float>(tensor.to(ScalarType.Float32).contiguous()).ToArray();

    private sealed class Problem
    {
        private const float Scale = 0.3f;

        private readonly Tensor _queries; // [rows, heads, head width]
        private readonly Tensor _keys;    // [rows, key-value heads, capacity, head width]
        private readonly Tensor _values;
        private readonly Tensor? _bias;
        private readonly int[] _starts;
        private readonly int[] _ends;
        private readonly float _softCap;
        private readonly int _length;

        public Problem(int seed)
        {
            using var generator = new Generator((ulong)seed);
            var random = new Random(seed);
            var (keyValueHeads, group) = (random.Next(1, 4), random.Next(2) == 0 ? 1 : random.Next(1, 10));
            (Rows, Heads, _length) = (random.Next(1, 5), keyValueHeads * group, random.Next(1, 90));
            HeadWidth = random.Next(4) switch { 0 => 64, 1 => 128, _ => random.Next(1, 80) };
            var capacity = _length + random.Next(0, 4);
            var type = random.Next(3) switch { 0 => ScalarType.Float32, 1 => ScalarType.BFloat16, _ => ScalarType.Float16 };
            _queries = randn([Rows, Heads, HeadWidth], generator: generator);
            _keys = randn([Rows, keyValueHeads, capacity, HeadWidth], generator: generator).to(type);
            _values = randn([Rows, keyValueHeads, capacity, HeadWidth], generator: generator).to(type);
            _starts = [.. Enumerable.Range(0, Rows).Select(_ => random.Next(_length))];
            _ends = random.Next(2) == 0 ? [] : [.. _starts.Select(start => random.Next(start + 1, _length + 1))];
            _softCap = random.Next(2) == 0 ? 0 : 1.5f;
            _bias = random.Next(3) switch
            {
                0 => null,
                1 => randn([Heads, _length], generator: generator),
                _ => randn([Rows, Heads, _length], generator: generator),
            };
        }

        public int Rows { get; }

        public int Heads { get; }

        public int HeadWidth { get; }

        private int KeyValueHeads => (int)_keys.size(1);

        public float[] Expected()
        {
            var results = new List<Tensor>();
            for (var row = 0; row < Rows; row++)
            {
                var (start, count) = (_starts[row], End(row) - _starts[row]);
                var keys = Seen(_keys);     // [heads, count, head width]
                var values = Seen(_values);
                var scores = matmul(keys, _queries[row].to(ScalarType.Float64).unsqueeze(-1)).squeeze(-1) * Scale; // [heads, count]
                if (_softCap != 0)
                    scores = tanh(scores / _softCap) * _softCap;
                if (_bias is not null)
                    scores += (_bias.dim() == 2 ? _bias : _bias[row]).narrow(1, start, count);
                results.Add(matmul(scores.softmax(-1).unsqueeze(1), values).squeeze(1));

                Tensor Seen(Tensor all) =>
                    all[row].narrow(1, start, count).to(ScalarType.Float64).repeat_interleave(Heads / KeyValueHeads, 0);
            }

            return Floats(stack(results));
        }

        public float[] Compute<TLanes, TVector>(int threads)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var output = new float[Rows * Heads * HeadWidth];
            RowAttention.Compute<TLanes, TVector>(
                new(NativeTensor.AsSpan<float>(_queries), Rows, Heads, HeadWidth), CachedRows.Of(_keys, _values, _length),
                new() { Starts = _starts, Ends = _ends, Scale = Scale, SoftCap = _softCap, Bias = Bias() }, output, threads);
            return output;
        }

        /// <summary>One row by itself, without what it may not see.</summary>
        public float[] ComputeAlone<TLanes, TVector>(int row)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var (start, count) = (_starts[row], End(row) - _starts[row]);
            var output = new float[Heads * HeadWidth];
            var itsBias = (_bias?.dim() == 3 ? _bias[row] : _bias)?.narrow(1, start, count).contiguous();
            var bias = itsBias is null ? default : NativeTensor.AsSpan<float>(itsBias);
            var cache = CachedRows.Of(Seen(_keys), Seen(_values));
            RowAttention.Compute<TLanes, TVector>(
                new(NativeTensor.AsSpan<float>(_queries[row]), 1, Heads, HeadWidth), cache,
                new() { Starts = new int[1], Scale = Scale, SoftCap = _softCap, Bias = bias }, output, 1);
            return output;

            Tensor Seen(Tensor all) => all.narrow(0, row, 1).narrow(2, start, count).contiguous();
        }

        /// <summary>Each head of each row through the primitives, one query at a time.</summary>
        public unsafe float[] ComputeHeadByHead<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var output = new float[Rows * Heads * HeadWidth];
            fixed (float* target = output)
            {
                for (var item = 0; item < Rows * Heads; item++)
                {
                    switch (_keys.dtype)
                    {
                        case ScalarType.Float32: ComputeHead<TLanes, TVector, float>(item, target + item * HeadWidth); break;
                        case ScalarType.BFloat16: ComputeHead<TLanes, TVector, ushort>(item, target + item * HeadWidth); break;
                        default: ComputeHead<TLanes, TVector, Half>(item, target + item * HeadWidth); break;
                    }
                }
            }

            return output;
        }

        private unsafe void ComputeHead<TLanes, TVector, TElement>(int item, float* output)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
            where TElement : unmanaged
        {
            var (row, head) = (item / Heads, item % Heads);
            var (start, count) = (_starts[row], End(row) - _starts[row]);
            var offset = ((row * KeyValueHeads + head / (Heads / KeyValueHeads)) * (int)_keys.size(2) + start) * HeadWidth;
            var scores = stackalloc float[count];
            RowKernels<TLanes, TVector, TElement>.Arrange((float*)NativeTensor.Pointer(_queries) + item * HeadWidth, output, HeadWidth);
            RowKernels<TLanes, TVector, TElement>.Scale(output, Scale, output, HeadWidth);
            RowDots<TLanes, TVector, TElement>
                .Compute(output, 1, HeadWidth, (TElement*)NativeTensor.Pointer(_keys) + offset, scores, 0, count);
            if (_softCap != 0)
                RowKernels<TLanes, TVector, TElement>.SoftCap(scores, _softCap, count);
            fixed (float* bias = Bias())
            {
                if (bias != null)
                    RowKernels<TLanes, TVector, TElement>.Add(bias + (_bias!.dim() == 2 ? head : item) * _length + start, scores, count);
            }

            var sum = RowKernels<TLanes, TVector, TElement>.Exponentials(scores, count);
            new Span<float>(output, HeadWidth).Clear();
            RowKernels<TLanes, TVector, TElement>.AddProducts(
                scores, count, (TElement*)NativeTensor.Pointer(_values) + offset, HeadWidth, output, HeadWidth);
            RowKernels<TLanes, TVector, TElement>.RestoreOrder(output, HeadWidth);
            RowKernels<TLanes, TVector, TElement>.Scale(output, 1 / sum, output, HeadWidth);
        }

        private int End(int row) => _ends.Length == 0 ? _length : _ends[row];

        private Span<float> Bias() => _bias is null ? default : NativeTensor.AsSpan<float>(_bias);
    }
}
