using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// Rows of activations as signed bytes with a scale for each group of inputs: the group's largest magnitude / 127. Their error is an order
/// below that of the 4-bit weights that they meet.
/// </summary>
/// <remarks>
/// A group of rows that lie interleaved is a record of integers: [2 * <see cref="Steps"/>, rows] times four values, then [rows] scales
/// (float32), then [rows] offsets, -8 * the sum of the values, which make codes from 0 to 15 weights from -8 to 7.
/// </remarks>
internal static unsafe class ByteRows
{
    /// <summary>The inputs that share a scale, as the weights that they meet do.</summary>
    public const int GroupInputs = Int4Rounding.Length;

    /// <summary>Fours of inputs in half a group.</summary>
    public const int Steps = GroupInputs / 8;

    /// <summary>What a row takes of a group's record.</summary>
    public const int RecordLength = 2 * Steps + 2;

    private const float Largest = sbyte.MaxValue;

    /// <summary>Less than this is zero, lest its scale's inverse overflow.</summary>
    private const float Smallest = 1e-30f;

    private const int Infinity = 0x7F800000;

    /// <summary>Groups of a row.</summary>
    public static int Groups(int inputs) => (inputs + GroupInputs - 1) / GroupInputs;

    /// <summary>Converts one of the rows that lie interleaved.</summary>
    /// <param name="input">[inputs].</param>
    /// <param name="inputs">The length of a row.</param>
    /// <param name="height">The rows that lie interleaved.</param>
    /// <param name="index">Which of them the row is.</param>
    /// <param name="records">[groups], each <see cref="RecordLength"/> * rows; a scale is NaN where a group has a number that is not
    /// finite.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert(float* input, int inputs, int height, int index, int* records)
    {
        var padded = stackalloc float[GroupInputs];
        for (var start = 0; start < inputs; start += GroupInputs, input += GroupInputs, records += RecordLength * height)
        {
            if (inputs - start >= GroupInputs)
            {
                ConvertGroup(input, height, index, records);
                continue;
            }

            new Span<float>(padded, GroupInputs).Clear();
            new ReadOnlySpan<float>(input, inputs - start).CopyTo(new Span<float>(padded, GroupInputs));
            ConvertGroup(padded, height, index, records);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ConvertGroup(float* input, int height, int index, int* record)
    {
        var (first, second) = (Vector512.Load(input), Vector512.Load(input + Vector512<float>.Count));
        var magnitude = Vector512.Create(int.MaxValue);
        var bits = LargestOf(Vector512.Max(first.AsInt32() & magnitude, second.AsInt32() & magnitude)); // NaN is above infinity
        var largest = BitConverter.Int32BitsToSingle(bits);
        var inverse = Vector512.Create(bits < Infinity && largest >= Smallest ? Largest / largest : 0);
        var firstValues = Vector512.ConvertToInt32Native(Vector512.Round(first * inverse));
        var secondValues = Vector512.ConvertToInt32Native(Vector512.Round(second * inverse));
        var halves = Vector512.Narrow(firstValues, secondValues);
        var bytes = Vector256.Narrow(halves.GetLower(), halves.GetUpper()).AsInt32(); // fours of values in their order
        if (height == 1)
        {
            bytes.Store(record);
        }
        else
        {
            for (var step = 0; step < 2 * Steps; step++)
                record[step * height + index] = bytes[step];
        }

        var end = record + 2 * Steps * height + index;
        *(float*)end = bits < Infinity ? largest / Largest : float.NaN;
        end[height] = -Int4Rounding.Middle * Vector512.Sum(firstValues + secondValues);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LargestOf(Vector512<int> values)
    {
        var eight = Vector256.Max(values.GetLower(), values.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return Math.Max(Math.Max(four[0], four[1]), Math.Max(four[2], four[3]));
    }
}
