using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Products of rows with int8 matrices on all cores; see <see cref="Int8Kernels"/>.</summary>
internal static unsafe class Int8Product
{
    /// <summary>Shorter rows are converted by one thread.</summary>
    private const int SmallestConversion = 512;

    /// <summary>The most rows that lie interleaved.</summary>
    private const int WidestGroup = 8;

    /// <summary>output = activation(input * matrix + bias), or output += that.</summary>
    /// <param name="input">[rows, inputs], any number of rows.</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="bias">[outputs], or empty for none.</param>
    /// <param name="output">[rows, outputs].</param>
    /// <param name="threads">The most threads that are used.</param>
    /// <param name="activation">Applied to the product with its bias.</param>
    /// <param name="accumulate">Whether to add to the output.</param>
    public static void Compute(
        ReadOnlySpan<float> input, Int8Matrix matrix, ReadOnlySpan<float> bias, Span<float> output, int threads,
        Activation activation = Activation.None, bool accumulate = false)
    {
        if (Vector512.IsHardwareAccelerated)
            Compute<PairLanes512, Vector512<int>>(input, matrix, bias, output, threads, activation, accumulate);
        else if (Vector256.IsHardwareAccelerated)
            Compute<PairLanes256, Vector256<int>>(input, matrix, bias, output, threads, activation, accumulate);
        else
            Compute<PairLanes128, Vector128<int>>(input, matrix, bias, output, threads, activation, accumulate);
    }

    /// <summary>The same with vectors of the caller's choice.</summary>
    internal static void Compute<TPairs, TVector>(
        ReadOnlySpan<float> input, Int8Matrix matrix, ReadOnlySpan<float> bias, Span<float> output, int threads,
        Activation activation, bool accumulate)
        where TPairs : struct, IPairLanes<TVector>
        where TVector : unmanaged
    {
        var rows = matrix.CheckRows(input, bias, output);
        var (pairs, groups) = (FixedPointRows.Pairs(matrix.Inputs), FixedPointRows.Groups(matrix.Inputs));
        using var rowScales = new RowBuffer(rows * groups);
        var values = ArrayPool<int>.Shared.Rent(checked(rows * pairs));
        try
        {
            fixed (float* inputPointer = input, biasPointer = bias, outputPointer = output, rowScalesPointer = rowScales.Span,
                scales = matrix.Scales)
            fixed (int* valuesPointer = values)
            {
                var work = new Work
                {
                    Input = inputPointer,
                    Values = valuesPointer,
                    RowScales = rowScalesPointer,
                    Rows = rows,
                    Inputs = matrix.Inputs,
                    Outputs = matrix.Outputs,
                    Weights = matrix.Weights,
                    Scales = scales,
                    Bias = biasPointer,
                    Output = outputPointer,
                    Activation = activation,
                    Accumulate = accumulate,
                    BlockTiles = QuantizedMatrix.BlockTiles(matrix.Tiles, 2L * pairs * Int8Matrix.TileOutputs, threads),
                };
                WorkerTeam.Run(rows, matrix.Inputs < SmallestConversion ? 1 : threads, &ConvertRow, &work);
                WorkerTeam.Run((int)QuantizedMatrix.Blocks(matrix.Tiles, work.BlockTiles), threads, &ComputeTiles<TPairs, TVector>, &work);
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(values);
            GC.KeepAlive(matrix);
        }
    }

    private static void ConvertRow(void* state, int row)
    {
        var work = (Work*)state;
        var (pairs, groups) = (FixedPointRows.Pairs(work->Inputs), FixedPointRows.Groups(work->Inputs));
        var (first, height) = InterleavedRows.Tile(row, work->Rows);
        FixedPointRows.Convert(
            work->Input + (nint)row * work->Inputs, work->Inputs, height,
            work->Values + (nint)first * pairs + (row - first), work->RowScales + (nint)first * groups + (row - first));
    }

    [SkipLocalsInit]
    private static void ComputeTiles<TPairs, TVector>(void* state, int block)
        where TPairs : struct, IPairLanes<TVector>
        where TVector : unmanaged
    {
        const int GroupPairs = FixedPointRows.GroupInputs / 2;
        var work = (Work*)state;
        var (pairs, groups) = (FixedPointRows.Pairs(work->Inputs), FixedPointRows.Groups(work->Inputs));
        var sums = stackalloc float[WidestGroup * Int8Matrix.TileOutputs];
        var endTile = (int)Math.Min((block + 1L) * work->BlockTiles, QuantizedMatrix.Blocks(work->Outputs, Int8Matrix.TileOutputs));
        for (var tile = block * work->BlockTiles; tile < endTile; tile++)
        {
            var weights = work->Weights + (nint)tile * pairs * 2 * Int8Matrix.TileOutputs;
            var start = tile * Int8Matrix.TileOutputs;
            var count = Math.Min(Int8Matrix.TileOutputs, work->Outputs - start);
            for (int row = 0, rows; row < work->Rows; row += rows)
            {
                rows = InterleavedRows.Height(work->Rows - row);
                new Span<float>(sums, rows * Int8Matrix.TileOutputs).Clear();
                var values = work->Values + (nint)row * pairs;
                var rowScales = work->RowScales + (nint)row * groups;
                for (var group = 0; group < groups; group++)
                {
                    var first = group * GroupPairs;
                    Int8Kernels.AddProducts<TPairs, TVector>(
                        rows, weights + (nint)first * 2 * Int8Matrix.TileOutputs, values + (nint)first * rows,
                        Math.Min(GroupPairs, pairs - first),
                        rowScales + group * rows, sums);
                }

                for (var i = 0; i < rows; i++)
                {
                    TPairs.Finish(
                        sums + i * Int8Matrix.TileOutputs, work->Scales + start, work->Bias == null ? null : work->Bias + start,
                        work->Activation, work->Accumulate, work->Output + (nint)(row + i) * work->Outputs + start, count);
                }
            }
        }
    }

    private struct Work
    {
        public float* Input;
        public int* Values;
        public float* RowScales;
        public int Rows;
        public int Inputs;
        public int Outputs;
        public sbyte* Weights;
        public float* Scales;
        public float* Bias;
        public float* Output;
        public Activation Activation;
        public bool Accumulate;
        public int BlockTiles;
    }
}
