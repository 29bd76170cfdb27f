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

    /// <summary>A column block's rows are runs of memory of at least this many elements. All are multiples of every vector pair.</summary>
    private const int NarrowestBlock = 256;

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

            var width = BlockWidth(matrix, sizeof(TWeight), threads);
            var work = new Work(x, rows, matrix, outputPointer, width, activation, accumulate);
            WorkerTeam.Run((matrix.Outputs + width - 1) / width, threads, &ComputeBlock<TLanes, TVector, TWeight>, &work);
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

    /// <summary>How many outputs one block computes.</summary>
    private static int BlockWidth(RowMatrix matrix, int elementSize, int threads)
    {
        var outputBytes = (long)matrix.Inputs * elementSize;
        var share = (matrix.Outputs + threads - 1) / threads;
        var smallest = (SmallestBlockBytes + outputBytes - 1) / outputBytes;
        var (narrowest, widest) = matrix.IsOutputByInput
            ? (1, Math.Clamp(LargestBlockBytes / outputBytes, 1, WidestBlock))
            : (NarrowestBlock, WidestBlock);
        var width = Math.Min(Math.Max(share, Math.Max(narrowest, smallest)), widest);
        return (int)(width + 63) / 64 * 64;
    }

    [SkipLocalsInit]
    private static void ComputeBlock<TLanes, TVector, TWeight>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TWeight : unmanaged
    {
        var work = *(Work*)state;
        var (rows, matrix) = (work.Rows, work.Matrix);
        var start = block * work.BlockWidth;
        var count = Math.Min(work.BlockWidth, matrix.Outputs - start);
        var sums = stackalloc float[rows * count]; // at most 64 KiB
        if (matrix.IsOutputByInput)
        {
            RowKernels<TLanes, TVector, TWeight>.DotProducts(
                work.Input, matrix.Inputs, rows, matrix.Inputs, (TWeight*)matrix.Data + (nint)start * matrix.Inputs, matrix.Inputs, sums, count, count);
        }
        else
        {
            new Span<float>(sums, rows * count).Clear();
            RowKernels<TLanes, TVector, TWeight>.AddProducts(
                work.Input, matrix.Inputs, rows, matrix.Inputs, (TWeight*)matrix.Data + start, matrix.Outputs, sums, count, count);
        }

        var bias = matrix.Bias == 0 ? null : (TWeight*)matrix.Bias + start;
        for (var row = 0; row < rows; row++)
        {
            if (!matrix.IsOutputByInput)
                RowKernels<TLanes, TVector, TWeight>.RestoreOrder(sums + row * count, count);
            RowKernels<TLanes, TVector, TWeight>.Finish(
                sums + row * count, bias, work.Activation, work.Accumulate, work.Output + (nint)row * matrix.Outputs + start, count);
        }
    }

    private readonly struct Work(
        float* input, int rows, RowMatrix matrix, float* output, int blockWidth, RowActivation activation, bool accumulate)
    {
        public readonly float* Input = input;
        public readonly int Rows = rows;
        public readonly RowMatrix Matrix = matrix;
        public readonly float* Output = output;
        public readonly int BlockWidth = blockWidth;
        public readonly RowActivation Activation = activation;
        public readonly bool Accumulate = accumulate;
    }
}
