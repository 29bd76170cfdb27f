using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Lanes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Convolutions over time of sequences that lie step by step, [T, channels], as products of rows with matrices: the steps that a tap or
/// several neighbours read are one run of memory, so that nothing is copied together first.
/// </summary>
internal static unsafe class RowConvolution
{
    /// <summary>Steps that a thread computes at a time.</summary>
    private const int RowsOfBlock = 64;

    /// <summary>Inputs whose weights for a pair of vectors wait in the second-level cache.</summary>
    private const int InputsOfPanel = 1024;

    /// <summary>Rows that may be read, not used, after those that are computed: those of the last tile.</summary>
    public const int SpareRows = 8;

    /// <summary>What weights of outputs are padded to a multiple of: a pair of vectors.</summary>
    private static int PairCount => Vector512.IsHardwareAccelerated ? 2 * Lanes512.Count
        : Vector256.IsHardwareAccelerated ? 2 * Lanes256.Count : 2 * Lanes128.Count;

    /// <summary>A sum of products of the result.</summary>
    /// <param name="Input">The inputs of the first row.</param>
    /// <param name="Stride">From a row's first input to that of the next row.</param>
    /// <param name="Inputs">How many neighbours a row reads.</param>
    /// <param name="Weights">As <see cref="Pack(Tensor)"/> lays them.</param>
    public readonly record struct Part(nint Input, int Stride, int Inputs, nint Weights);

    /// <summary>Weights [parts, inputs, outputs] as products read them: [parts, pairs of vectors, inputs, the pair].</summary>
    public static Tensor Pack(Tensor weights) => Pack(weights, PairCount);

    /// <summary>The same for pairs of the caller's choice.</summary>
    internal static Tensor Pack(Tensor weights, int pairCount)
    {
        using var scope = NewDisposeScope();
        var (parts, inputs, outputs) = (weights.shape[0], weights.shape[1], weights.shape[2]);
        var pairs = (outputs + pairCount - 1) / pairCount;
        return nn.functional.pad(weights, (0, pairs * pairCount - outputs)).view(parts, inputs, pairs, pairCount)
            .permute(0, 2, 1, 3).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Rows of outputs: the sum of the parts, a bias and perhaps an addend; as it is, or its exponential linear unit, or both.
    /// </summary>
    /// <param name="parts">At least one. <see cref="SpareRows"/> rows after the last are read too, and may hold anything.</param>
    /// <param name="rows">How many.</param>
    /// <param name="bias">[outputs], on the CPU.</param>
    /// <param name="addend">[rows, outputs]; null for none.</param>
    /// <param name="plain">[rows, outputs]; null where it is not wanted.</param>
    /// <param name="activated">[rows, outputs]; null where it is not wanted.</param>
    public static void Compute(ReadOnlySpan<Part> parts, int rows, Tensor bias, float* addend, float* plain, float* activated)
    {
        if (Vector512.IsHardwareAccelerated)
            Compute<Lanes512, Vector512<float>>(parts, rows, bias, addend, plain, activated);
        else if (Vector256.IsHardwareAccelerated)
            Compute<Lanes256, Vector256<float>>(parts, rows, bias, addend, plain, activated);
        else
            Compute<Lanes128, Vector128<float>>(parts, rows, bias, addend, plain, activated);
    }

    /// <summary>The same with vectors of the caller's choice, which weights are packed for.</summary>
    internal static void Compute<TLanes, TVector>(
        ReadOnlySpan<Part> parts, int rows, Tensor bias, float* addend, float* plain, float* activated)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (outputs, threads) = ((int)bias.numel(), get_num_threads());
        var pairCount = 2 * TLanes.Count;
        var (pairs, blocks) = ((outputs + pairCount - 1) / pairCount, (rows + RowsOfBlock - 1) / RowsOfBlock);
        var groups = Math.Clamp((4 * threads + blocks - 1) / blocks, 1, pairs); // where there are few rows, outputs are shared out too
        fixed (Part* first = parts)
        {
            var work = new Work
            {
                Parts = first, PartCount = parts.Length, Rows = rows, Outputs = outputs, Bias = (float*)NativeTensor.Pointer(bias),
                Addend = addend, Plain = plain, Activated = activated, PairsOfGroup = (pairs + groups - 1) / groups, Groups = groups,
                Pairs = pairs,
            };
            WorkerTeam.Run(blocks * groups, threads, &ComputeBlock<TLanes, TVector>, &work);
        }
    }

    [SkipLocalsInit]
    private static void ComputeBlock<TLanes, TVector>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var work = (Work*)state;
        var width = 2 * TLanes.Count;
        var firstRow = block / work->Groups * RowsOfBlock;
        var firstPair = block % work->Groups * work->PairsOfGroup;
        var rows = Math.Min(RowsOfBlock, work->Rows - firstRow);
        var sums = stackalloc float[RowsOfBlock * width];
        for (var pair = firstPair; pair < Math.Min(work->Pairs, firstPair + work->PairsOfGroup); pair++)
        {
            var isFirst = true;
            for (var part = work->Parts; part < work->Parts + work->PartCount; part++)
            {
                var input = (float*)part->Input + (nint)firstRow * part->Stride;
                var weights = (float*)part->Weights + (nint)pair * part->Inputs * width;
                for (int start = 0, height; start < part->Inputs; start += height, isFirst = false)
                {
                    height = Math.Min(InputsOfPanel, part->Inputs - start);
                    for (int row = 0, tile; row < rows; row += tile)
                    {
                        tile = RowTiles.Height<TLanes, TVector>(rows - row);
                        RowPanels<TLanes, TVector, float>.Add(
                            input + (nint)row * part->Stride + start, part->Stride, tile, weights + (nint)start * width, width, height,
                            null, sums + row * width, width, width, isFirst);
                    }
                }
            }

            Finish<TLanes, TVector>(work, sums, firstRow, rows, pair * width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish<TLanes, TVector>(Work* work, float* sums, int firstRow, int rows, int start)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var width = 2 * TLanes.Count;
        var count = Math.Min(width, work->Outputs - start);
        for (var row = 0; row < rows; row++, sums += width)
        {
            var place = (nint)(firstRow + row) * work->Outputs + start;
            var column = 0;
            for (; column <= count - TLanes.Count; column += TLanes.Count)
            {
                var value = TLanes.Add(TLanes.Load(sums + column), TLanes.Load(work->Bias + start + column));
                if (work->Addend != null)
                    value = TLanes.Add(value, TLanes.Load(work->Addend + place + column));
                if (work->Plain != null)
                    TLanes.Store(value, work->Plain + place + column);
                if (work->Activated != null)
                    TLanes.Store(LaneFunctions.Elu<TLanes, TVector>(value), work->Activated + place + column);
            }

            for (; column < count; column++)
            {
                var value = sums[column] + work->Bias[start + column];
                if (work->Addend != null)
                    value += work->Addend[place + column];
                if (work->Plain != null)
                    work->Plain[place + column] = value;
                if (work->Activated != null)
                    work->Activated[place + column] = LaneFunctions.Elu<ScalarLanes, float>(value);
            }
        }
    }

    /// <summary>Rows of few outputs, each the product of a run of memory with weights, and a bias.</summary>
    /// <param name="input">The inputs of the first row.</param>
    /// <param name="stride">From a row's first input to that of the next row.</param>
    /// <param name="weights">[outputs, inputs], on the CPU.</param>
    /// <param name="rows">How many.</param>
    /// <param name="bias">[outputs], on the CPU.</param>
    /// <param name="output">[rows, outputs].</param>
    public static void ComputeFew(float* input, int stride, Tensor weights, int rows, Tensor bias, float* output)
    {
        var work = new FewWork
        {
            Input = input, Stride = stride, Inputs = (int)weights.shape[1], Outputs = (int)weights.shape[0], Rows = rows,
            Weights = (float*)NativeTensor.Pointer(weights), Bias = (float*)NativeTensor.Pointer(bias), Output = output,
        };
        var blocks = (rows + RowsOfBlock - 1) / RowsOfBlock;
        if (Vector512.IsHardwareAccelerated)
            WorkerTeam.Run(blocks, get_num_threads(), &ComputeFewOfBlock<Lanes512, Vector512<float>>, &work);
        else if (Vector256.IsHardwareAccelerated)
            WorkerTeam.Run(blocks, get_num_threads(), &ComputeFewOfBlock<Lanes256, Vector256<float>>, &work);
        else
            WorkerTeam.Run(blocks, get_num_threads(), &ComputeFewOfBlock<Lanes128, Vector128<float>>, &work);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ComputeFewOfBlock<TLanes, TVector>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var work = (FewWork*)state;
        var end = Math.Min(work->Rows, (block + 1) * RowsOfBlock);
        for (var row = block * RowsOfBlock; row < end; row++)
        {
            var x = work->Input + (nint)row * work->Stride;
            for (var output = 0; output < work->Outputs; output++)
            {
                var weights = work->Weights + output * work->Inputs;
                var (first, second) = (TLanes.Broadcast(0), TLanes.Broadcast(0));
                var i = 0;
                for (; i <= work->Inputs - 2 * TLanes.Count; i += 2 * TLanes.Count)
                {
                    first = TLanes.MultiplyAdd(TLanes.Load(x + i), TLanes.Load(weights + i), first);
                    second = TLanes.MultiplyAdd(
                        TLanes.Load(x + i + TLanes.Count), TLanes.Load(weights + i + TLanes.Count), second);
                }

                var sum = TLanes.Sum(TLanes.Add(first, second)) + work->Bias[output];
                for (; i < work->Inputs; i++)
                    sum += x[i] * weights[i];
                work->Output[(nint)row * work->Outputs + output] = sum;
            }
        }
    }

    private struct FewWork
    {
        public float* Input;
        public int Stride;
        public int Inputs;
        public int Outputs;
        public int Rows;
        public float* Weights;
        public float* Bias;
        public float* Output;
    }

    private struct Work
    {
        public Part* Parts;
        public int PartCount;
        public int Rows;
        public int Outputs;
        public float* Bias;
        public float* Addend;
        public float* Plain;
        public float* Activated;
        public int Pairs;
        public int PairsOfGroup;
        public int Groups;
    }
}
