using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Pairs in vectors of 256 bits.</summary>
internal readonly unsafe struct PairLanes256 : IPairLanes<Vector256<int>>
{
    public static int Count => Vector256<int>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(int pair) => Vector256.Create(pair);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Widen(sbyte* source)
    {
        var bytes = Vector128.Load(source);
        return Avx2.IsSupported
            ? Avx2.ConvertToVector256Int16(bytes).AsInt32()
            : Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddProducts(Vector256<int> left, Vector256<int> right, Vector256<int> sums)
    {
        if (Avx2.IsSupported)
            return Avx2.MultiplyAddAdjacent(left.AsInt16(), right.AsInt16()) + sums;
        return ((left << 16 >> 16) * (right << 16 >> 16)) + ((left >> 16) * (right >> 16)) + sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddScaled(Vector256<int> sums, float factor, float* target) =>
        Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(sums), Vector256.Create(factor), Vector256.Load(target)).Store(target);

    public static void Finish(float* sums, float* scales, float* bias, Activation activation, bool accumulate, float* target, int count) =>
        Int8Kernels.Finish<Lanes256, Vector256<float>>(sums, scales, bias, activation, accumulate, target, count);
}
