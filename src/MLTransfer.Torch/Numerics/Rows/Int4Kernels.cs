using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Products of rows in signed bytes (<see cref="ByteRows"/>) with tiles of an <see cref="Int4Matrix"/>. Each lane of a vector sums up one
/// output: a group's products in integers and therefore exactly, the groups one after the other in float32, so that neither the vectors'
/// width nor threads nor other rows change a bit.
/// </summary>
internal static unsafe class Int4Kernels
{
    /// <summary>How far ahead of the bytes in use memory is asked for. Tiles follow each other without gaps.</summary>
    private const int PrefetchedBytes = 4096;

    private const int Half = Int4Matrix.TileOutputs / 2;

    private const int StepBytes = 4 * Int4Matrix.TileOutputs;

    /// <summary>What the second half of a tile's codes lies behind the first.</summary>
    private const int HalfBytes = 4 * Half;

    /// <summary>sums[r, o] = sum over groups of scale[r, group] * weight scale[o, group] * sum of value[r, i] * weight[o, i].</summary>
    /// <param name="rows">8, 4, 2 or 1: how many rows' values lie interleaved.</param>
    /// <param name="tile">[groups], each <see cref="Int4Matrix.GroupBytes"/>.</param>
    /// <param name="records">The rows' <see cref="ByteRows"/>.</param>
    /// <param name="groups">Groups of inputs.</param>
    /// <param name="sums">[rows, outputs of a tile].</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply<TCodes, TVector, TFloats>(int rows, byte* tile, int* records, int groups, float* sums)
        where TCodes : struct, ICodeLanes<TVector, TFloats>
        where TVector : unmanaged
        where TFloats : unmanaged
    {
        for (var output = 0; output < Half; output += TCodes.Count)
        {
            var codes = tile + 4 * output;
            if (rows == 1)
            {
                MultiplyOneRow<TCodes, TVector, TFloats>(codes, records, groups, sums + output);
            }
            else if (rows == 2)
            {
                MultiplyTwoRows<TCodes, TVector, TFloats>(codes, records, groups, sums + output);
            }
            else if (rows == 4)
            {
                MultiplyFourRows<TCodes, TVector, TFloats>(codes, 0, records, groups, sums + output);
                MultiplyFourRows<TCodes, TVector, TFloats>(codes, 1, records, groups, sums + output + Half);
            }
            else
            {
                MultiplyEightRows<TCodes, TVector, TFloats>(codes, 0, records, groups, sums + output);
                MultiplyEightRows<TCodes, TVector, TFloats>(codes, 1, records, groups, sums + output + Half);
            }
        }
    }

    /// <summary>Both halves of a tile at once, so that its bytes are read in their order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyOneRow<TCodes, TVector, TFloats>(byte* codes, int* record, int groups, float* sums)
        where TCodes : struct, ICodeLanes<TVector, TFloats>
        where TVector : unmanaged
        where TFloats : unmanaged
    {
        var (lower, upper) = (default(TFloats), default(TFloats));
        for (var end = record + groups * ByteRows.RecordLength; record < end; record += ByteRows.RecordLength)
        {
            if (Sse.IsSupported)
            {
                for (var line = 0; line < Int4Matrix.GroupBytes; line += 64)
                    Sse.Prefetch0(codes + PrefetchedBytes + line);
            }

            var (a, b, c, d) = (default(TVector), default(TVector), default(TVector), default(TVector));
            for (var step = 0; step < ByteRows.Steps; step++)
            {
                var bytes = TCodes.Load(codes + step * StepBytes);
                a = TCodes.AddProducts(TCodes.LowCodes(bytes), record[step], a);
                b = TCodes.AddProducts(TCodes.HighCodes(bytes), record[ByteRows.Steps + step], b);
                bytes = TCodes.Load(codes + step * StepBytes + HalfBytes);
                c = TCodes.AddProducts(TCodes.LowCodes(bytes), record[step], c);
                d = TCodes.AddProducts(TCodes.HighCodes(bytes), record[ByteRows.Steps + step], d);
            }

            var words = TCodes.Load(codes + Int4Matrix.CodeBytes);
            var (scale, offset) = (*(float*)(record + 2 * ByteRows.Steps), record[2 * ByteRows.Steps + 1]);
            lower = TCodes.AddScaled(TCodes.Total(TCodes.Add(a, b), offset), TCodes.LowScales(words), scale, lower);
            upper = TCodes.AddScaled(TCodes.Total(TCodes.Add(c, d), offset), TCodes.HighScales(words), scale, upper);
            codes += Int4Matrix.GroupBytes;
        }

        TCodes.Store(lower, sums);
        TCodes.Store(upper, sums + Half);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTwoRows<TCodes, TVector, TFloats>(byte* codes, int* record, int groups, float* sums)
        where TCodes : struct, ICodeLanes<TVector, TFloats>
        where TVector : unmanaged
        where TFloats : unmanaged
    {
        const int Scales = 2 * ByteRows.Steps * 2;
        var (lower0, upper0, lower1, upper1) = (default(TFloats), default(TFloats), default(TFloats), default(TFloats));
        for (var end = record + 2 * groups * ByteRows.RecordLength; record < end; record += 2 * ByteRows.RecordLength)
        {
            var (a, b, c, d) = (default(TVector), default(TVector), default(TVector), default(TVector));
            for (var step = 0; step < ByteRows.Steps; step++)
            {
                var low = record + 2 * step;
                var high = low + 2 * ByteRows.Steps;
                var bytes = TCodes.Load(codes + step * StepBytes);
                a = TCodes.AddProducts(TCodes.LowCodes(bytes), low[0], a);
                b = TCodes.AddProducts(TCodes.LowCodes(bytes), low[1], b);
                a = TCodes.AddProducts(TCodes.HighCodes(bytes), high[0], a);
                b = TCodes.AddProducts(TCodes.HighCodes(bytes), high[1], b);
                bytes = TCodes.Load(codes + step * StepBytes + HalfBytes);
                c = TCodes.AddProducts(TCodes.LowCodes(bytes), low[0], c);
                d = TCodes.AddProducts(TCodes.LowCodes(bytes), low[1], d);
                c = TCodes.AddProducts(TCodes.HighCodes(bytes), high[0], c);
                d = TCodes.AddProducts(TCodes.HighCodes(bytes), high[1], d);
            }

            var words = TCodes.Load(codes + Int4Matrix.CodeBytes);
            var (lowScales, highScales) = (TCodes.LowScales(words), TCodes.HighScales(words));
            var scales = (float*)(record + Scales);
            var (offset0, offset1) = (record[Scales + 2], record[Scales + 3]);
            lower0 = TCodes.AddScaled(TCodes.Total(a, offset0), lowScales, scales[0], lower0);
            lower1 = TCodes.AddScaled(TCodes.Total(b, offset1), lowScales, scales[1], lower1);
            upper0 = TCodes.AddScaled(TCodes.Total(c, offset0), highScales, scales[0], upper0);
            upper1 = TCodes.AddScaled(TCodes.Total(d, offset1), highScales, scales[1], upper1);
            codes += Int4Matrix.GroupBytes;
        }

        TCodes.Store(lower0, sums);
        TCodes.Store(upper0, sums + Half);
        TCodes.Store(lower1, sums + Int4Matrix.TileOutputs);
        TCodes.Store(upper1, sums + Int4Matrix.TileOutputs + Half);
    }

    /// <summary>One half of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyFourRows<TCodes, TVector, TFloats>(byte* codes, int half, int* record, int groups, float* sums)
        where TCodes : struct, ICodeLanes<TVector, TFloats>
        where TVector : unmanaged
        where TFloats : unmanaged
    {
        const int Scales = 2 * ByteRows.Steps * 4;
        var (s0, s1, s2, s3) = (default(TFloats), default(TFloats), default(TFloats), default(TFloats));
        for (var end = record + 4 * groups * ByteRows.RecordLength; record < end; record += 4 * ByteRows.RecordLength)
        {
            var (a, b, c, d) = (default(TVector), default(TVector), default(TVector), default(TVector));
            for (var step = 0; step < ByteRows.Steps; step++)
            {
                var bytes = TCodes.Load(codes + step * StepBytes + half * HalfBytes);
                var (low, high) = (TCodes.LowCodes(bytes), TCodes.HighCodes(bytes));
                var values = record + 4 * step;
                a = TCodes.AddProducts(low, values[0], a);
                b = TCodes.AddProducts(low, values[1], b);
                c = TCodes.AddProducts(low, values[2], c);
                d = TCodes.AddProducts(low, values[3], d);
                values += 4 * ByteRows.Steps;
                a = TCodes.AddProducts(high, values[0], a);
                b = TCodes.AddProducts(high, values[1], b);
                c = TCodes.AddProducts(high, values[2], c);
                d = TCodes.AddProducts(high, values[3], d);
            }

            var words = TCodes.Load(codes + Int4Matrix.CodeBytes);
            var weightScales = half == 0 ? TCodes.LowScales(words) : TCodes.HighScales(words);
            var scales = (float*)(record + Scales);
            var offsets = record + Scales + 4;
            s0 = TCodes.AddScaled(TCodes.Total(a, offsets[0]), weightScales, scales[0], s0);
            s1 = TCodes.AddScaled(TCodes.Total(b, offsets[1]), weightScales, scales[1], s1);
            s2 = TCodes.AddScaled(TCodes.Total(c, offsets[2]), weightScales, scales[2], s2);
            s3 = TCodes.AddScaled(TCodes.Total(d, offsets[3]), weightScales, scales[3], s3);
            codes += Int4Matrix.GroupBytes;
        }

        TCodes.Store(s0, sums);
        TCodes.Store(s1, sums + Int4Matrix.TileOutputs);
        TCodes.Store(s2, sums + 2 * Int4Matrix.TileOutputs);
        TCodes.Store(s3, sums + 3 * Int4Matrix.TileOutputs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyEightRows<TCodes, TVector, TFloats>(byte* codes, int half, int* record, int groups, float* sums)
        where TCodes : struct, ICodeLanes<TVector, TFloats>
        where TVector : unmanaged
        where TFloats : unmanaged
    {
        const int Scales = 2 * ByteRows.Steps * 8;
        var (s0, s1, s2, s3) = (default(TFloats), default(TFloats), default(TFloats), default(TFloats));
        var (s4, s5, s6, s7) = (default(TFloats), default(TFloats), default(TFloats), default(TFloats));
        for (var end = record + 8 * groups * ByteRows.RecordLength; record < end; record += 8 * ByteRows.RecordLength)
        {
            var (a, b, c, d) = (default(TVector), default(TVector), default(TVector), default(TVector));
            var (e, f, g, h) = (default(TVector), default(TVector), default(TVector), default(TVector));
            for (var step = 0; step < ByteRows.Steps; step++)
            {
                var bytes = TCodes.Load(codes + step * StepBytes + half * HalfBytes);
                var (low, high) = (TCodes.LowCodes(bytes), TCodes.HighCodes(bytes));
                var values = record + 8 * step;
                a = TCodes.AddProducts(low, values[0], a);
                b = TCodes.AddProducts(low, values[1], b);
                c = TCodes.AddProducts(low, values[2], c);
                d = TCodes.AddProducts(low, values[3], d);
                e = TCodes.AddProducts(low, values[4], e);
                f = TCodes.AddProducts(low, values[5], f);
                g = TCodes.AddProducts(low, values[6], g);
                h = TCodes.AddProducts(low, values[7], h);
                values += 8 * ByteRows.Steps;
                a = TCodes.AddProducts(high, values[0], a);
                b = TCodes.AddProducts(high, values[1], b);
                c = TCodes.AddProducts(high, values[2], c);
                d = TCodes.AddProducts(high, values[3], d);
                e = TCodes.AddProducts(high, values[4], e);
                f = TCodes.AddProducts(high, values[5], f);
                g = TCodes.AddProducts(high, values[6], g);
                h = TCodes.AddProducts(high, values[7], h);
            }

            var words = TCodes.Load(codes + Int4Matrix.CodeBytes);
            var weightScales = half == 0 ? TCodes.LowScales(words) : TCodes.HighScales(words);
            var scales = (float*)(record + Scales);
            var offsets = record + Scales + 8;
            s0 = TCodes.AddScaled(TCodes.Total(a, offsets[0]), weightScales, scales[0], s0);
            s1 = TCodes.AddScaled(TCodes.Total(b, offsets[1]), weightScales, scales[1], s1);
            s2 = TCodes.AddScaled(TCodes.Total(c, offsets[2]), weightScales, scales[2], s2);
            s3 = TCodes.AddScaled(TCodes.Total(d, offsets[3]), weightScales, scales[3], s3);
            s4 = TCodes.AddScaled(TCodes.Total(e, offsets[4]), weightScales, scales[4], s4);
            s5 = TCodes.AddScaled(TCodes.Total(f, offsets[5]), weightScales, scales[5], s5);
            s6 = TCodes.AddScaled(TCodes.Total(g, offsets[6]), weightScales, scales[6], s6);
            s7 = TCodes.AddScaled(TCodes.Total(h, offsets[7]), weightScales, scales[7], s7);
            codes += Int4Matrix.GroupBytes;
        }

        TCodes.Store(s0, sums);
        TCodes.Store(s1, sums + Int4Matrix.TileOutputs);
        TCodes.Store(s2, sums + 2 * Int4Matrix.TileOutputs);
        TCodes.Store(s3, sums + 3 * Int4Matrix.TileOutputs);
        TCodes.Store(s4, sums + 4 * Int4Matrix.TileOutputs);
        TCodes.Store(s5, sums + 5 * Int4Matrix.TileOutputs);
        TCodes.Store(s6, sums + 6 * Int4Matrix.TileOutputs);
        TCodes.Store(s7, sums + 7 * Int4Matrix.TileOutputs);
    }
}
