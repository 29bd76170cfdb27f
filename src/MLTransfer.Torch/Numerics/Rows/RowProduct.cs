using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Lanes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Products of a few rows with a matrix on all cores; see <see cref="RowKernels{TLanes, TVector, TWeight}"/>.</summary>
internal static unsafe class RowProduct
{
    /// <summary>Up to here a product is bound by reading the matrix; beyond, libtorch's blocked product is faster.</summary>
    public const int MaximumRows = 16;

    /// <summary>Less than this is not worth another thread.</summary>
    private const long SmallestBlockBytes = 64 << 10;

    private const long LargestBlockBytes = 512 << 10;

    /// <summary>What blocks of outputs are multiples of: twice the longest vector.</summary>
    private const int ColumnUnit = 64;

    private const int WidestBlock = 1024;

    /// <summary>What the inputs of a sum are multiples of.</summary>
    private const int InputUnit = 16;

    /// <summary>Two of these, and the rows, fit into a second-level cache of half a megabyte or more.</summary>
    private const int PanelBytes = 160 << 10;

    /// <summary>output = activation(input * matrix + bias), or output += that.</summary>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="rows">At most <see cref="MaximumRows"/>.</param>
    /// <param name="matrix">The matrix and the bias.</param>
    /// <param name="output">[rows, outputs].</param>
    /// <param name="threads">The most threads that are used.</param>
    /// <param name="activation">Applied to the product with its bias.</param>
    /// <param name="accumulate">Whether to add to the output.</param>
    public static void Compute(
        ReadOnlySpan<float> input, int rows, RowMatrix matrix, Span<float> output, int threads,
        Activation activation = Activation.None, bool accumulate = false)
    {
        if (Vector512.IsHardwareAccelerated)
            Compute<Lanes512, Vector512<float>>(input, rows, matrix, output, threads, activation, accumulate);
        else if (Vector256.IsHardwareAccelerated)
            Compute<Lanes256, Vector256<float>>(input, rows, matrix, output, threads, activation, accumulate);
        else
            Compute<Lanes128, Vector128<float>>(input, rows, matrix, output, threads, activation, accumulate);
    }

    /// <summary>The same with vectors of the caller's choice.</summary>
    internal static void Compute<TLanes, TVector>(
        ReadOnlySpan<float> input, int rows, RowMatrix matrix, Span<float> output, int threads, Activation activation, bool accumulate)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaximumRows);
        ArgumentOutOfRangeException.ThrowIfNotEqual(input.Length, checked(rows * matrix.Inputs));
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, checked(rows * matrix.Outputs));
        switch (matrix.ElementType)
        {
            case ScalarType.BFloat16:
                Compute<TLanes, TVector, ushort>(input, rows, matrix, output, threads, activation, accumulate);
                break;
            case ScalarType.Float16:
                Compute<TLanes, TVector, Half>(input, rows, matrix, output, threads, activation, accumulate);
                break;
            default:
                Compute<TLanes, TVector, float>(input, rows, matrix, output, threads, activation, accumulate);
                break;
        }
    }

    private static void Compute<TLanes, TVector, TWeight>(
        ReadOnlySpan<float> input, int rows, RowMatrix matrix, Span<float> output, int threads, Activation activation, bool accumulate)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        fixed (float* inputPointer = input, outputPointer = output)
        {
            var work = new Work(inputPointer, rows, matrix, outputPointer, activation, accumulate);
            if (matrix.IsOutputByInput)
                ComputeByOutputs<TLanes, TVector, TWeight>(&work, threads);
            else if (rows == 1)
                ComputeByInputs<TLanes, TVector, TWeight>(&work, threads);
            else
                ComputeByColumns<TLanes, TVector, TWeight>(&work, threads);
        }
    }

    /// <summary>Whether <see cref="Compute(Tensor, Tensor)"/> takes these.</summary>
    public static bool Computes(Tensor rows, Tensor weight) =>
        rows.dtype == ScalarType.Float32 && rows.numel() is > 0 and var count && count / rows.shape[^1] <= MaximumRows
        && !is_grad_enabled() && RowMatrix.Supports(weight) && RowMatrix.Supports(rows);

    /// <summary>[..., inputs] float32 times a weight of [outputs, inputs]: [..., outputs] float32, without gradients.</summary>
    public static Tensor Compute(Tensor rows, Tensor weight)
    {
        var matrix = RowMatrix.Of(weight, null, isOutputByInput: true);
        var output = empty([.. rows.shape[..^1], matrix.Outputs], ScalarType.Float32);
        var input = NativeTensor.AsSpan<float>(rows);
        Compute(input, input.Length / matrix.Inputs, matrix, NativeTensor.AsSpan<float>(output), get_num_threads());
        return output;
    }

    /// <summary>output = activation(product), or output += that.</summary>
    public static void Finish(ReadOnlySpan<float> product, Span<float> output, Activation activation, bool accumulate)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, product.Length);
        fixed (float* source = product, target = output)
            RowKernels<Lanes128, Vector128<float>, float>.Finish(source, null, activation, accumulate, target, product.Length);
    }

    /// <summary>Each block computes some outputs, whose weights are one run of memory.</summary>
    private static void ComputeByOutputs<TLanes, TVector, TWeight>(Work* work, int threads)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var (rows, matrix) = (work->Rows, work->Matrix);
        var outputBytes = (long)matrix.Inputs * sizeof(TWeight);
        var share = Blocks(matrix.Outputs, threads);
        var width = Math.Clamp(share, Math.Clamp(SmallestBlockBytes / outputBytes, 1, WidestBlock),
            Math.Clamp(LargestBlockBytes / outputBytes, 1, WidestBlock));
        work->BlockLength = RoundUp((int)width, ColumnUnit);
        work->PaddedRows = RowTiles.PaddedForDots<TLanes, TVector>(rows);
        using var arranged = new RowBuffer(checked(work->PaddedRows * matrix.Inputs));
        arranged.Span[(rows * matrix.Inputs)..].Clear();
        fixed (float* x = arranged.Span)
        {
            for (var row = 0; row < rows; row++)
                RowKernels<TLanes, TVector, TWeight>.Arrange(work->Input + row * matrix.Inputs, x + row * matrix.Inputs, matrix.Inputs);
            work->Arranged = x;
            WorkerTeam.Run(Blocks(matrix.Outputs, work->BlockLength), threads, &ComputeOutputs<TLanes, TVector, TWeight>, work);
        }
    }

    /// <summary>
    /// For one row each block sums up over some inputs, since their weights are one run of memory; then the blocks' sums are added.
    /// </summary>
    private static void ComputeByInputs<TLanes, TVector, TWeight>(Work* work, int threads)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var matrix = work->Matrix;
        work->BlockLength = InputsOfSum(matrix);
        work->Blocks = Blocks(matrix.Inputs, work->BlockLength);
        using var sums = new RowBuffer(checked(work->Blocks * matrix.Outputs));
        fixed (float* pointer = sums.Span)
        {
            work->Sums = pointer;
            WorkerTeam.Run(work->Blocks, threads, &SumInputs<TLanes, TVector, TWeight>, work);
            var isLarge = (long)matrix.Outputs * (work->Blocks + 1) * sizeof(float) > SmallestBlockBytes;
            work->ColumnBlockLength = isLarge ? WidestBlock / 2 : RoundUp(matrix.Outputs, ColumnUnit);
            WorkerTeam.Run(Blocks(matrix.Outputs, work->ColumnBlockLength), threads, &AddBlocks<TLanes, TVector, TWeight>, work);
        }
    }

    /// <summary>For several rows each block computes some outputs, panel by panel.</summary>
    private static void ComputeByColumns<TLanes, TVector, TWeight>(Work* work, int threads)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var matrix = work->Matrix;
        work->BlockLength = InputsOfSum(matrix);
        var share = Blocks(matrix.Outputs, Math.Min(threads, (int)Math.Max(1, matrix.Bytes / SmallestBlockBytes)));
        var panelWidth = Math.Max(PanelBytes / (work->BlockLength * sizeof(TWeight)), ColumnUnit);
        var width = Blocks(share, Blocks(share, panelWidth)); // as many blocks for each thread
        work->ColumnBlockLength = RoundUp(width, ColumnUnit);
        work->PaddedRows = RowTiles.Padded<TLanes, TVector>(work->Rows);
        var given = new ReadOnlySpan<float>(work->Input, work->Rows * matrix.Inputs);
        using var padded = work->PaddedRows == work->Rows ? default : new RowBuffer(checked(work->PaddedRows * matrix.Inputs));
        using var sums = new RowBuffer(checked(work->PaddedRows * matrix.Outputs));
        if (work->PaddedRows != work->Rows)
        {
            given.CopyTo(padded.Span);
            padded.Span[given.Length..].Clear();
        }

        fixed (float* paddedPointer = padded.Span, sumsPointer = sums.Span)
        {
            work->Arranged = paddedPointer == null ? work->Input : paddedPointer;
            work->Sums = sumsPointer;
            WorkerTeam.Run(Blocks(matrix.Outputs, work->ColumnBlockLength), threads, &SumColumns<TLanes, TVector, TWeight>, work);
        }
    }

    /// <summary>
    /// How many inputs make a sum of their own before the sums are added. It depends on the matrix alone, so that neither the number of
    /// threads nor that of rows changes a bit.
    /// </summary>
    private static int InputsOfSum(RowMatrix matrix)
    {
        var sums = (int)Math.Clamp(matrix.Bytes / (2 * SmallestBlockBytes), 1, 16);
        return RoundUp(Blocks(matrix.Inputs, sums), InputUnit);
    }

    private static int Blocks(int count, int length) => (count + length - 1) / length;

    private static int RoundUp(int count, int unit) => Blocks(count, unit) * unit;

    [SkipLocalsInit]
    private static void ComputeOutputs<TLanes, TVector, TWeight>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var work = (Work*)state;
        var (rows, matrix) = (work->Rows, work->Matrix);
        var start = block * work->BlockLength;
        var count = Math.Min(work->BlockLength, matrix.Outputs - start);
        var products = stackalloc float[work->PaddedRows * ColumnUnit]; // at most 4 KiB
        for (int end = start + count, part; start < end; start += part)
        {
            part = Math.Min(ColumnUnit, end - start);
            RowDots<TLanes, TVector, TWeight>.Compute(
                work->Arranged, work->PaddedRows, matrix.Inputs, (TWeight*)matrix.Data + (nint)start * matrix.Inputs, products,
                ColumnUnit, part);
            for (var row = 0; row < rows; row++)
                Finish<TLanes, TVector, TWeight>(work, products + row * ColumnUnit, row, start, part);
        }
    }

    private static void SumInputs<TLanes, TVector, TWeight>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var work = (Work*)state;
        var matrix = work->Matrix;
        var start = block * work->BlockLength;
        var count = Math.Min(work->BlockLength, matrix.Inputs - start);
        var sums = work->Sums + (nint)block * matrix.Outputs;
        new Span<float>(sums, matrix.Outputs).Clear();
        RowKernels<TLanes, TVector, TWeight>.AddProducts(
            work->Input + start, count, (TWeight*)matrix.Data + (nint)start * matrix.Outputs, matrix.Outputs, sums, matrix.Outputs);
    }

    private static void AddBlocks<TLanes, TVector, TWeight>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var work = (Work*)state;
        var matrix = work->Matrix;
        var start = block * work->ColumnBlockLength;
        var count = Math.Min(work->ColumnBlockLength, matrix.Outputs - start);
        var sums = work->Sums + start;
        for (var other = 1; other < work->Blocks; other++)
            RowKernels<TLanes, TVector, TWeight>.Add(sums + (nint)other * matrix.Outputs, sums, count);
        RowKernels<TLanes, TVector, TWeight>.RestoreOrder(sums, count);
        Finish<TLanes, TVector, TWeight>(work, sums, 0, start, count);
    }

    private static void SumColumns<TLanes, TVector, TWeight>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var work = (Work*)state;
        var (rows, matrix) = (work->Rows, work->Matrix);
        var start = block * work->ColumnBlockLength;
        var count = Math.Min(work->ColumnBlockLength, matrix.Outputs - start);
        var sums = work->Sums + start;
        for (int input = 0, height; input < matrix.Inputs; input += height)
        {
            height = Math.Min(work->BlockLength, matrix.Inputs - input);
            var panel = (TWeight*)matrix.Data + (nint)input * matrix.Outputs + start;
            var ahead = input + 2 * height <= matrix.Inputs ? panel + (nint)height * matrix.Outputs : null;
            for (int row = 0, tileRows; row < rows; row += tileRows)
            {
                tileRows = RowTiles.Height<TLanes, TVector>(rows - row);
                RowPanels<TLanes, TVector, TWeight>.Add(
                    work->Arranged + (nint)row * matrix.Inputs + input, matrix.Inputs, tileRows, panel, matrix.Outputs, height, row == 0
                        ? ahead : null,
                    sums + (nint)row * matrix.Outputs, matrix.Outputs, count, isFirst: input == 0);
            }
        }

        for (var row = 0; row < rows; row++)
        {
            RowKernels<TLanes, TVector, TWeight>.RestoreOrder(sums + (nint)row * matrix.Outputs, count);
            Finish<TLanes, TVector, TWeight>(work, sums + (nint)row * matrix.Outputs, row, start, count);
        }
    }

    private static void Finish<TLanes, TVector, TWeight>(Work* work, float* sums, int row, int start, int count)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var bias = work->Matrix.Bias == 0 ? null : (TWeight*)work->Matrix.Bias + start;
        RowKernels<TLanes, TVector, TWeight>.Finish(
            sums, bias, work->Activation, work->Accumulate, work->Output + (nint)row * work->Matrix.Outputs + start, count);
    }

    private struct Work(float* input, int rows, RowMatrix matrix, float* output, Activation activation, bool accumulate)
    {
        public readonly float* Input = input;
        public readonly int Rows = rows;
        public readonly RowMatrix Matrix = matrix;
        public readonly float* Output = output;
        public readonly Activation Activation = activation;
        public readonly bool Accumulate = accumulate;
        public int BlockLength;
        public int ColumnBlockLength;
        public int Blocks;
        public int PaddedRows;
        public float* Arranged; // [padded rows, inputs]
        public float* Sums; // [blocks, outputs] or [padded rows, outputs]
    }
}
