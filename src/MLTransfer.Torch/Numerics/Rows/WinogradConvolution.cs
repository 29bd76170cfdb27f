using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Lanes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Convolutions over time of sequences that lie step by step, [T, channels], with fewer products: four outputs of four taps take seven in
/// place of sixteen (minimal filtering by the Chinese remainder theorem; S. Winograd 1980, arXiv 1509.09308). Wider kernels are sums over
/// groups of four taps, which share what is made of the inputs.
/// </summary>
/// <remarks>
/// Everything that rounds is inlined into code that is compiled once, fully optimized, so that bits do not change while a program
/// warms up. The points are 0, 1, -1, 2, -2, 1/2 and infinity; errors are some ten times those of plain sums of float32.
/// </remarks>
internal static unsafe class WinogradConvolution
{
    /// <summary>Outputs of a tile, and taps of a group.</summary>
    private const int Size = 4;

    /// <summary>Products of a tile and a group.</summary>
    private const int Points = 2 * Size - 1;

    /// <summary>Tiles that a thread computes at a time.</summary>
    private const int MostTiles = 64;

    /// <summary>Inputs whose weights for a pair of vectors wait in the second-level cache.</summary>
    private const int InputsOfPanel = 1024;

    private static readonly double[] s_points = [0, 1, -1, 2, -2, 0.5];

    /// <summary>The steps beside a sequence that are read and must be zeros.</summary>
    public static (int Before, int After) Room(int steps, int kernel, int dilation)
    {
        var before = (kernel - 1) / 2 * dilation;
        var last = dilation - 1 + dilation * (Size * (Tiles(steps, dilation) + Groups(kernel)) - 2) - before;
        return (before, last + 1 - steps);
    }

    /// <summary>A weight [outputs, inputs, kernel] as <see cref="Compute"/> reads it.</summary>
    public static Tensor Pack(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var (outputs, inputs, kernel) = (weight.shape[0], weight.shape[1], (int)weight.shape[2]);
        var groups = Groups(kernel);
        var taps = nn.functional.pad(weight, (0, groups * Size - kernel)).view(outputs, inputs, groups, Size);
        var wide = taps.to(ScalarType.Float64);
        var transform = FilterTransform();
        // Element by element: the bits of a matrix product may depend on where in memory its factors lie.
        var transformed = stack(Enumerable.Range(0, Points).Select(point => Enumerable.Range(0, Size)
            .Select(tap => wide.select(3, tap) * transform[point, tap]).Aggregate((sum, term) => sum + term))); // [points, out, in, groups]
        return RowConvolution.Pack(
            transformed.permute(0, 3, 2, 1).reshape(Points, groups * inputs, outputs).to(ScalarType.Float32)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Rows of outputs: the convolution, a bias and perhaps addends; as it is, or its leaky rectified unit, or both. The convolution keeps
    /// the length: an odd kernel sees as much before a step as after it.
    /// </summary>
    /// <param name="input">Step 0 of [T, channels], with zeros beside it as <see cref="Room"/> says.</param>
    /// <param name="steps">T.</param>
    /// <param name="channels">Of the input.</param>
    /// <param name="weight">As <see cref="Pack"/> lays it.</param>
    /// <param name="kernel">Taps.</param>
    /// <param name="dilation">Steps from a tap to the next.</param>
    /// <param name="bias">[outputs], on the CPU.</param>
    /// <param name="target">Where the outputs go.</param>
    public static void Compute(
        float* input, int steps, int channels, Tensor weight, int kernel, int dilation, Tensor bias, in WinogradTarget target)
    {
        if (Vector512.IsHardwareAccelerated)
            Compute<Lanes512, Vector512<float>>(input, steps, channels, weight, kernel, dilation, bias, target);
        else if (Vector256.IsHardwareAccelerated)
            Compute<Lanes256, Vector256<float>>(input, steps, channels, weight, kernel, dilation, bias, target);
        else
            Compute<Lanes128, Vector128<float>>(input, steps, channels, weight, kernel, dilation, bias, target);
    }

    private static int Groups(int kernel) => (kernel + Size - 1) / Size;

    /// <summary>Of each of the sequences that dilation takes apart.</summary>
    private static int Tiles(int steps, int dilation) => ((steps + dilation - 1) / dilation + Size - 1) / Size;

    /// <summary>[points, taps]: the values of a filter's polynomial, divided by the differences of points.</summary>
    private static double[,] FilterTransform()
    {
        var transform = new double[Points, Size];
        for (var point = 0; point < s_points.Length; point++)
        {
            var differences = s_points.Where((_, other) => other != point)
                .Aggregate(1.0, (product, other) => product * (s_points[point] - other));
            for (var tap = 0; tap < Size; tap++)
                transform[point, tap] = Math.Pow(s_points[point], tap) / differences;
        }

        transform[Points - 1, Size - 1] = 1;
        return transform;
    }

    private static void Compute<TLanes, TVector>(
        float* input, int steps, int channels, Tensor weight, int kernel, int dilation, Tensor bias, in WinogradTarget target)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (tiles, threads) = (Tiles(steps, dilation), get_num_threads());
        var share = (dilation * tiles + 4 * threads - 1) / (4 * threads);
        var tilesOfBlock = Math.Clamp((share + 7) / 8 * 8, 8, MostTiles);
        var work = new Work
        {
            Input = input - (nint)((kernel - 1) / 2 * dilation) * channels, Steps = steps, Channels = channels,
            Groups = Groups(kernel), Dilation = dilation, Tiles = tiles, TilesOfBlock = tilesOfBlock,
            BlocksOfPhase = (tiles + tilesOfBlock - 1) / tilesOfBlock, Outputs = (int)bias.numel(),
            Weight = (float*)NativeTensor.Pointer(weight), Bias = (float*)NativeTensor.Pointer(bias), Target = target,
        };
        WorkerTeam.Run(dilation * work.BlocksOfPhase, threads, &ComputeBlock<TLanes, TVector>, &work);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ComputeBlock<TLanes, TVector>(void* state, int block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var work = (Work*)state;
        var (phase, firstTile) = (block / work->BlocksOfPhase, block % work->BlocksOfPhase * work->TilesOfBlock);
        var tiles = Math.Min(work->TilesOfBlock, work->Tiles - firstTile);
        var (width, rows) = (2 * TLanes.Count, tiles + work->Groups - 1);
        var rowsOfPoint = rows + RowConvolution.SpareRows;
        var sumsOfPoint = (tiles + RowConvolution.SpareRows) * width;
        using var buffer = new RowBuffer(Points * (rowsOfPoint * work->Channels + sumsOfPoint));
        fixed (float* inputs = buffer.Span)
        {
            var sums = inputs + (nint)Points * rowsOfPoint * work->Channels;
            var stepsOfTile = (nint)Size * work->Dilation * work->Channels;
            for (var row = 0; row < rows; row++)
            {
                TransformInput<TLanes, TVector>(
                    work->Input + phase * (nint)work->Channels + (firstTile + row) * stepsOfTile, (nint)work->Dilation * work->Channels,
                    work->Channels, inputs + (nint)row * work->Channels, (nint)rowsOfPoint * work->Channels);
            }

            var (pairs, length) = ((work->Outputs + width - 1) / width, work->Groups * work->Channels);
            for (var pair = 0; pair < pairs; pair++)
            {
                for (var point = 0; point < Points; point++)
                {
                    var x = inputs + (nint)point * rowsOfPoint * work->Channels;
                    var weights = work->Weight + ((nint)point * pairs + pair) * length * width;
                    for (int start = 0, height; start < length; start += height)
                    {
                        height = Math.Min(InputsOfPanel, length - start);
                        for (int row = 0, tile; row < tiles; row += tile)
                        {
                            tile = RowTiles.Height<TLanes, TVector>(tiles - row);
                            RowPanels<TLanes, TVector, float>.Add(
                                x + (nint)row * work->Channels + start, work->Channels, tile, weights + (nint)start * width, width, height,
                                null, sums + point * sumsOfPoint + row * width, width, width, start == 0);
                        }
                    }
                }

                TransformOutput<TLanes, TVector>(work, sums, sumsOfPoint, phase, firstTile, tiles, pair * width);
            }
        }
    }

    /// <summary>Seven steps to seven points, of each channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformInput<TLanes, TVector>(float* input, nint stride, int channels, float* output, nint pointStride)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var channel = 0;
        for (; channel <= channels - TLanes.Count; channel += TLanes.Count)
            TransformInputs<TLanes, TVector>(input + channel, stride, output + channel, pointStride);
        for (; channel < channels; channel++)
            TransformInputs<ScalarLanes, float>(input + channel, stride, output + channel, pointStride);
    }

    /// <summary>Rows of the coefficients of the product of (x - point) over all other points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransformInputs<TLanes, TVector>(float* x, nint stride, float* y, nint pointStride)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (x0, x1, x2) = (TLanes.Load(x), TLanes.Load(x + stride), TLanes.Load(x + 2 * stride));
        var (x3, x4, x5) = (TLanes.Load(x + 3 * stride), TLanes.Load(x + 4 * stride), TLanes.Load(x + 5 * stride));
        var x6 = TLanes.Load(x + 6 * stride);
        Store(Times(-2, x0, Times(4, x1, Times(2.5f, x2, Times(-5, x3, Times(-0.5f, x4, x5))))), 0);
        Store(Times(2, x1, Times(-2, x2, Times(-4.5f, x3, Times(0.5f, x4, x5)))), 1);
        Store(Times(-2, x1, Times(6, x2, Times(-3.5f, x3, Times(-1.5f, x4, x5)))), 2);
        Store(Times(1, x1, Times(-1.5f, x2, Times(-2, x3, Times(1.5f, x4, x5)))), 3);
        Store(Times(-1, x1, Times(2.5f, x2, Times(-2.5f, x4, x5))), 4);
        Store(Times(4, x1, Times(-5, x3, x5)), 5);
        Store(Times(-2, x1, Times(4, x2, Times(2.5f, x3, Times(-5, x4, Times(-0.5f, x5, x6))))), 6);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static TVector Times(float factor, TVector vector, TVector addend) =>
            TLanes.MultiplyAdd(TLanes.Broadcast(factor), vector, addend);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Store(TVector vector, int point) => TLanes.Store(vector, y + point * pointStride);
    }

    /// <summary>Seven points to four outputs, which are finished.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformOutput<TLanes, TVector>(
        Work* work, float* sums, nint sumsOfPoint, int phase, int firstTile, int tiles, int start)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var width = 2 * TLanes.Count;
        var count = Math.Min(width, work->Outputs - start);
        for (var tile = 0; tile < tiles; tile++, sums += width)
        {
            var step = phase + work->Dilation * Size * (firstTile + tile);
            var column = 0;
            for (; column <= count - TLanes.Count; column += TLanes.Count)
                TransformOutputs<TLanes, TVector>(work, sums + column, sumsOfPoint, step, start + column);
            for (; column < count; column++)
                TransformOutputs<ScalarLanes, float>(work, sums + column, sumsOfPoint, step, start + column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransformOutputs<TLanes, TVector>(Work* work, float* m, nint stride, int step, int column)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var (m1, m2) = (TLanes.Load(m + stride), TLanes.Load(m + 2 * stride));
        var (m3, m4, m5) = (TLanes.Load(m + 3 * stride), TLanes.Load(m + 4 * stride), TLanes.Load(m + 5 * stride));
        var (even1, even2) = (TLanes.Add(m1, m2), TLanes.Add(m3, m4));
        var (odd1, odd2) = (Times(-1, m2, m1), Times(-1, m4, m3));
        Finish(TLanes.Add(TLanes.Add(TLanes.Load(m), even1), TLanes.Add(even2, m5)), 0);
        Finish(Times(2, odd2, Times(0.5f, m5, odd1)), 1);
        Finish(Times(4, even2, Times(0.25f, m5, even1)), 2);
        Finish(Times(8, odd2, Times(0.125f, m5, TLanes.Add(odd1, TLanes.Load(m + 6 * stride)))), 3);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static TVector Times(float factor, TVector vector, TVector addend) =>
            TLanes.MultiplyAdd(TLanes.Broadcast(factor), vector, addend);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Finish(TVector value, int output)
        {
            var row = step + output * work->Dilation;
            if (row >= work->Steps)
                return;
            var place = (nint)row * work->Outputs + column;
            value = TLanes.Add(value, TLanes.Load(work->Bias + column));
            if (work->Target.Addend != null)
                value = TLanes.Add(value, TLanes.Load(work->Target.Addend + place));
            if (work->Target.SecondAddend != null)
                value = TLanes.Add(value, TLanes.Load(work->Target.SecondAddend + place));
            if (work->Target.Plain != null)
                TLanes.Store(value, work->Target.Plain + place);
            if (work->Target.Activated == null)
                return;
            var zero = TLanes.Broadcast(0);
            var leaked = TLanes.Multiply(value, TLanes.Broadcast(work->Target.Slope));
            TLanes.Store(TLanes.SelectLess(value, zero, leaked, value), work->Target.Activated + place);
        }
    }

    private struct Work
    {
        public float* Input;
        public int Steps;
        public int Channels;
        public int Groups;
        public int Dilation;
        public int Tiles;
        public int TilesOfBlock;
        public int BlocksOfPhase;
        public int Outputs;
        public float* Weight;
        public float* Bias;
        public WinogradTarget Target;
    }
}
