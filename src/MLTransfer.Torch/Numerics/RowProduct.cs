using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics;

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
        RowActivation activation = RowActivation.None, bool accumulate = false)
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
        ReadOnlySpan<float> input, int rows, RowMatrix matrix, Span<float> output, int threads, RowActivation activation, bool accumulate)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaximumRows);
        ArgumentOutOfRangeException.ThrowIfNotEqual(input.Length, checked(rows * matrix.Inputs));
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, checked(rows * matrix.Outputs));
        if (matrix.IsBFloat16)
            Compute<TLanes, TVector, ushort>(input, rows, matrix, output, threads, activation, accumulate);
        else
            Compute<TLanes, TVector, float>(input, rows, matrix, output, threads, activation, accumulate);
    }

    private static void Compute<TLanes, TVector, TWeight>(
        ReadOnlySpan<float> input, int rows, RowMatrix matrix, Span<float> output, int threads, RowActivation activation, bool accumulate)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        using var arranged = matrix is { IsBFloat16: true, IsOutputByInput: true } ? new RowBuffer(input.Length) : default;
        fixed (float* inputPointer = input, arrangedPointer = arranged.Span, outputPointer = output)
        {
            var x = inputPointer;
            if (arrangedPointer != null)
            {
                for (var row = 0; row < rows; row++)
                    RowKernels<TLanes, TVector, TWeight>.Arrange(x + row * matrix.Inputs, arrangedPointer + row * matrix.Inputs, matrix.Inputs);
                x = arrangedPointer;
            }

            var work = new Work(x, rows, matrix, outputPointer, activation, accumulate);
            if (matrix.IsOutputByInput)
                ComputeByOutputs<TLanes, TVector, TWeight>(&work, threads);
            else
                ComputeByInputs<TLanes, TVector, TWeight>(&work, threads);
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
    public static void Finish(ReadOnlySpan<float> product, Span<float> output, RowActivation activation, bool accumulate)
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
        var outputBytes = (long)work->Matrix.Inputs * sizeof(TWeight);
        var share = (work->Matrix.Outputs + threads - 1) / threads;
        var width = Math.Clamp(share, Math.Clamp(SmallestBlockBytes / outputBytes, 1, WidestBlock), Math.Clamp(LargestBlockBytes / outputBytes, 1, WidestBlock));
        work->BlockLength = (int)(width + ColumnUnit - 1) / ColumnUnit * ColumnUnit;
        WorkerTeam.Run(Blocks(work->Matrix.Outputs, work->BlockLength), threads, &ComputeOutputs<TLanes, TVector, TWeight>, work);
    }

    /// <summary>
    /// Each block sums up over some inputs, since their weights are one run of memory; then the blocks' sums are added. The blocks depend on
    /// the matrix alone, so that the number of threads changes no bit.
    /// </summary>
    private static void ComputeByInputs<TLanes, TVector, TWeight>(Work* work, int threads)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var matrix = work->Matrix;
        var bytes = (long)matrix.Inputs * matrix.Outputs * sizeof(TWeight);
        var wanted = (int)Math.Clamp(bytes / (2 * SmallestBlockBytes), 1, bytes < 16 << 20 ? 8 : 16);
        var unit = RowKernels<TLanes, TVector, TWeight>.PanelHeight;
        work->BlockLength = (matrix.Inputs + wanted * unit - 1) / (wanted * unit) * unit;
        work->Blocks = Blocks(matrix.Inputs, work->BlockLength);
        using var sums = new RowBuffer(checked(work->Blocks * work->Rows * matrix.Outputs));
        fixed (float* pointer = sums.Span)
        {
            work->Sums = pointer;
            WorkerTeam.Run(work->Blocks, threads, &SumInputs<TLanes, TVector, TWeight>, work);
            var isLarge = (long)work->Rows * matrix.Outputs * (work->Blocks + 1) * sizeof(float) > SmallestBlockBytes;
            work->ColumnBlockLength = isLarge ? WidestBlock / 2 : (matrix.Outputs + ColumnUnit - 1) / ColumnUnit * ColumnUnit;
            WorkerTeam.Run(Blocks(matrix.Outputs, work->ColumnBlockLength), threads, &AddBlocks<TLanes, TVector, TWeight>, work);
        }
    }

    private static int Blocks(int count, int length) => (count + length - 1) / length;

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
        var products = stackalloc float[rows * count]; // at most 64 KiB
        RowKernels<TLanes, TVector, TWeight>.DotProducts(
            work->Input, matrix.Inputs, rows, matrix.Inputs, (TWeight*)matrix.Data + (nint)start * matrix.Inputs, matrix.Inputs, products, count, count);
        for (var row = 0; row < rows; row++)
            Finish<TLanes, TVector, TWeight>(work, products + row * count, row, start, count);
    }

    private static void SumInputs<TLanes, TVector, TWeight>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var work = (Work*)state;
        var (rows, matrix) = (work->Rows, work->Matrix);
        var start = block * work->BlockLength;
        var count = Math.Min(work->BlockLength, matrix.Inputs - start);
        var sums = work->Sums + (nint)block * rows * matrix.Outputs;
        new Span<float>(sums, rows * matrix.Outputs).Clear();
        RowKernels<TLanes, TVector, TWeight>.AddProducts(
            work->Input + start, matrix.Inputs, rows, count, (TWeight*)matrix.Data + (nint)start * matrix.Outputs, matrix.Outputs,
            sums, matrix.Outputs, matrix.Outputs);
    }

    private static void AddBlocks<TLanes, TVector, TWeight>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var work = (Work*)state;
        var (rows, matrix) = (work->Rows, work->Matrix);
        var start = block * work->ColumnBlockLength;
        var count = Math.Min(work->ColumnBlockLength, matrix.Outputs - start);
        for (var row = 0; row < rows; row++)
        {
            var sums = work->Sums + (nint)row * matrix.Outputs + start;
            for (var other = 1; other < work->Blocks; other++)
                RowKernels<TLanes, TVector, TWeight>.Add(sums + (nint)other * rows * matrix.Outputs, sums, count);
            RowKernels<TLanes, TVector, TWeight>.RestoreOrder(sums, count);
            Finish<TLanes, TVector, TWeight>(work, sums, row, start, count);
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

    private struct Work(float* input, int rows, RowMatrix matrix, float* output, RowActivation activation, bool accumulate)
    {
        public readonly float* Input = input;
        public readonly int Rows = rows;
        public readonly RowMatrix Matrix = matrix;
        public readonly float* Output = output;
        public readonly RowActivation Activation = activation;
        public readonly bool Accumulate = accumulate;
        public int BlockLength;
        public int ColumnBlockLength;
        public int Blocks;
        public float* Sums; // [blocks, rows, outputs]
    }
}
