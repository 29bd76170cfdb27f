using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Codes in vectors of 512 bits.</summary>
internal readonly unsafe struct CodeLanes512 : ICodeLanes<Vector512<int>, Vector512<float>>
{
    public static int Count => Vector512<int>.Count;

    public static int WidestGroup => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(byte* source) => Vector512.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> LowCodes(Vector512<int> bytes) => bytes & Vector512.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> HighCodes(Vector512<int> bytes) => (bytes >>> 4) & Vector512.Create(0x0F0F0F0F);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddProducts(Vector512<int> codes, int values, Vector512<int> sums)
    {
        var bytes = Vector512.Create(values).AsSByte();
        if (Avx512BW.IsSupported) // at most 8 * 2 * 15 * 127 in 16 bits
            return (Avx512BW.MultiplyAddAdjacent(codes.AsByte(), bytes).AsInt16() + sums.AsInt16()).AsInt32();
        return Vector512.Create(
            CodeLanes256.AddProducts(codes.GetLower(), values, sums.GetLower()),
            CodeLanes256.AddProducts(codes.GetUpper(), values, sums.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> left, Vector512<int> right) => Avx512BW.IsSupported
        ? (left.AsInt16() + right.AsInt16()).AsInt32()
        : Vector512.Create(CodeLanes256.Add(left.GetLower(), right.GetLower()), CodeLanes256.Add(left.GetUpper(), right.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Total(Vector512<int> sums, int offset)
    {
        if (!Avx512BW.IsSupported)
            return Vector512.Create(CodeLanes256.Total(sums.GetLower(), offset), CodeLanes256.Total(sums.GetUpper(), offset));
        sums = Avx512BW.MultiplyAddAdjacent(sums.AsInt16(), Vector512<short>.One);
        return Vector512.ConvertToSingle(sums + Vector512.Create(offset));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LowScales(Vector512<int> words) => (words << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> HighScales(Vector512<int> words) => (words & Vector512.Create(-1 << 16)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddScaled(
        Vector512<float> totals, Vector512<float> scales, float scale, Vector512<float> sums) =>
        Vector512.MultiplyAddEstimate(totals, scales * Vector512.Create(scale), sums);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> sums, float* target) => sums.Store(target);

    public static void Finish(float* sums, float* bias, Activation activation, bool accumulate, float* target, int count) =>
        RowKernels<Lanes512, Vector512<float>, float>.Finish(sums, bias, activation, accumulate, target, count);
}
