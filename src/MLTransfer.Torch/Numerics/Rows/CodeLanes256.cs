using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Codes in vectors of 256 bits.</summary>
internal readonly unsafe struct CodeLanes256 : ICodeLanes<Vector256<int>, Vector256<float>>
{
    public static int Count => Vector256<int>.Count;

    public static int WidestGroup => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(byte* source) => Vector256.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> LowCodes(Vector256<int> bytes) => bytes & Vector256.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> HighCodes(Vector256<int> bytes) => (bytes >>> 4) & Vector256.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddProducts(Vector256<int> codes, int values, Vector256<int> sums)
    {
        var bytes = Vector256.Create(values).AsSByte();
        if (AvxVnni.IsSupported)
            return AvxVnni.MultiplyWideningAndAdd(sums, codes.AsByte(), bytes);
        if (Avx2.IsSupported) // at most 8 * 2 * 15 * 127 in 16 bits
            return (Avx2.MultiplyAddAdjacent(codes.AsByte(), bytes) + sums.AsInt16()).AsInt32();
        return Vector256.Create(
            CodeLanes128.AddProducts(codes.GetLower(), values, sums.GetLower()),
            CodeLanes128.AddProducts(codes.GetUpper(), values, sums.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> left, Vector256<int> right)
    {
        if (AvxVnni.IsSupported)
            return left + right;
        return Avx2.IsSupported ? (left.AsInt16() + right.AsInt16()).AsInt32()
            : Vector256.Create(CodeLanes128.Add(left.GetLower(), right.GetLower()), CodeLanes128.Add(left.GetUpper(), right.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Total(Vector256<int> sums, int offset)
    {
        if (!Avx2.IsSupported)
            return Vector256.Create(CodeLanes128.Total(sums.GetLower(), offset), CodeLanes128.Total(sums.GetUpper(), offset));
        if (!AvxVnni.IsSupported)
            sums = Avx2.MultiplyAddAdjacent(sums.AsInt16(), Vector256<short>.One);
        return Vector256.ConvertToSingle(sums + Vector256.Create(offset));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LowScales(Vector256<int> words) => (words << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> HighScales(Vector256<int> words) => (words & Vector256.Create(-1 << 16)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddScaled(
        Vector256<float> totals, Vector256<float> scales, float scale, Vector256<float> sums) =>
        Vector256.MultiplyAddEstimate(totals, scales * Vector256.Create(scale), sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> sums, float* target) => sums.Store(target);

    public static void Finish(float* sums, float* bias, Activation activation, bool accumulate, float* target, int count) =>
        RowKernels<Lanes256, Vector256<float>, float>.Finish(sums, bias, activation, accumulate, target, count);
}
