using System.Runtime.Intrinsics;
using FsCheck.Xunit;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Numerics;

public class RowAttentionTests
{
    [Property(MaxTest = 60)]
    public void Every_vector_width_attends_as_libtorch_does_and_neither_threads_nor_padding_change_a_bit(ushort seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var random = new Random(seed);
        var (rows, heads, headWidth, length) = (random.Next(1, 6), random.Next(1, 5), random.Next(3) == 0 ? 64 : random.Next(1, 80), random.Next(0, 90));
        var capacity = length + random.Next(1, 4);
        var type = random.Next(2) == 0 ? ScalarType.BFloat16 : ScalarType.Float32;
        var starts = Enumerable.Range(0, rows).Select(_ => random.Next(length + 1)).ToArray();
        var (keys, values) = (randn([rows, heads, capacity, headWidth], generator: generator).to(type),
            randn([rows, heads, capacity, headWidth], generator: generator).to(type));
        var input = randn([rows, 3, heads, headWidth], generator: generator);
        input.narrow(1, 1, 2).copy_(input.narrow(1, 1, 2).to(type)); // as the cache keeps them
        var expected = Expected();

        RowProductTests.AssertClose(expected, Compute<ScalarLanes, float>(1));
        RowProductTests.AssertClose(expected, Compute<Lanes128, Vector128<float>>(1));
        RowProductTests.AssertClose(expected, Compute<Lanes256, Vector256<float>>(1));
        var actual = Compute<Lanes512, Vector512<float>>(1);
        RowProductTests.AssertClose(expected, actual);
        Assert.Equal(actual, Compute<Lanes512, Vector512<float>>(3));
        Assert.Equal(NativeTensor.AsSpan<float>(input[.., 1].contiguous()), NativeTensor.AsSpan<float>(keys[.., .., length].to(ScalarType.Float32).contiguous()));

        // The last row by itself, without what it may not see.
        var row = rows - 1;
        var (start, width) = (starts[row], heads * headWidth);
        var alone = new float[width];
        var (itsKeys, itsValues) = (keys[row].narrow(1, start, capacity - start).contiguous(), values[row].narrow(1, start, capacity - start).contiguous());
        RowAttention.Compute<Lanes512, Vector512<float>>(
            NativeTensor.AsSpan<float>(input[row]), Cache(itsKeys, itsValues, capacity - start, length - start), [0], 0.3f, alone, 1);
        Assert.Equal(actual[^width..], alone);

        float[] Compute<TLanes, TVector>(int threads)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var output = new float[rows * heads * headWidth];
            RowAttention.Compute<TLanes, TVector>(
                NativeTensor.AsSpan<float>(input), Cache(keys, values, capacity, length), starts, 0.3f, output, threads);
            return output;
        }

        CachedRows Cache(Tensor k, Tensor v, int room, int filled)
        {
            unsafe
            {
                return new((nint)NativeTensor.Pointer(k), (nint)NativeTensor.Pointer(v), type == ScalarType.BFloat16, heads, headWidth, room, filled);
            }
        }

        float[] Expected()
        {
            var results = new List<Tensor>();
            for (var i = 0; i < rows; i++)
            {
                var itsKeys = cat([keys[i].narrow(1, starts[i], length - starts[i]), input[i, 1].unsqueeze(1)], 1).to(ScalarType.Float64);
                var itsValues = cat([values[i].narrow(1, starts[i], length - starts[i]), input[i, 2].unsqueeze(1)], 1).to(ScalarType.Float64);
                var scores = matmul(itsKeys, input[i, 0].unsqueeze(-1).to(ScalarType.Float64)).squeeze(-1) * 0.3;
                results.Add(matmul(scores.softmax(-1).unsqueeze(1), itsValues).squeeze(1));
            }

            return NativeTensor.AsSpan<float>(stack(results).to(ScalarType.Float32).contiguous()).ToArray();
        }
    }
}
