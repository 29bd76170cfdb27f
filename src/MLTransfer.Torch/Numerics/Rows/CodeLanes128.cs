using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Codes in vectors of 128 bits.</summary>
internal readonly unsafe struct CodeLanes128 : ICodeLanes<Vector128<int>, Vector128<float>>
{
    public static int Count => Vector128<int>.Count;

    public static int WidestGroup => 4;

    /// <summary>Whether sums are pairs of 16 bits until their total is taken.</summary>
    private static bool HasNarrowSums => !AvxVnni.IsSupported && !Dp.IsSupported && Ssse3.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(byte* source) => Vector128.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> LowCodes(Vector128<int> bytes) => bytes & Vector128.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> HighCodes(Vector128<int> bytes) => (bytes >>> 4) & Vector128.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProducts(Vector128<int> codes, int values, Vector128<int> sums)
    {
        var bytes = Vector128.Create(values).AsSByte();
        if (AvxVnni.IsSupported)
            return AvxVnni.MultiplyWideningAndAdd(sums, codes.AsByte(), bytes);
        if (Dp.IsSupported)
            return Dp.DotProduct(sums, codes.AsSByte(), bytes);
        if (Ssse3.IsSupported) // at most 8 * 2 * 15 * 127 in 16 bits
            return (Ssse3.MultiplyAddAdjacent(codes.AsByte(), bytes) + sums.AsInt16()).AsInt32();
        for (var shift = 0; shift < 32; shift += 8)
            sums += (codes >> shift & Vector128.Create(0xFF)) * Vector128.Create((int)(sbyte)(values >> shift));
        return sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add(Vector128<int> left, Vector128<int> right) =>
        HasNarrowSums ? (left.AsInt16() + right.AsInt16()).AsInt32() : left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Total(Vector128<int> sums, int offset)
    {
        if (HasNarrowSums)
            sums = Sse2.MultiplyAddAdjacent(sums.AsInt16(), Vector128<short>.One);
        return Vector128.ConvertToSingle(sums + Vector128.Create(offset));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LowScales(Vector128<int> words) => (words << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> HighScales(Vector128<int> words) => (words & Vector128.Create(-1 << 16)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddScaled(
        Vector128<float> totals, Vector128<float> scales, float scale, Vector128<float> sums) =>
        Vector128.MultiplyAddEstimate(totals, scales * Vector128.Create(scale), sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> sums, float* target) => sums.Store(target);

    public static void Finish(float* sums, float* bias, Activation activation, bool accumulate, float* target, int count) =>
        RowKernels<Lanes128, Vector128<float>, float>.Finish(sums, bias, activation, accumulate, target, count);
}
