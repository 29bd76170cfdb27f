using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Pairs in vectors of 512 bits.</summary>
internal readonly unsafe struct PairLanes512 : IPairLanes<Vector512<int>>
{
    public static int Count => Vector512<int>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Broadcast(int pair) => Vector512.Create(pair);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Widen(sbyte* source)
    {
        var bytes = Vector256.Load(source);
        return Avx512BW.IsSupported
            ? Avx512BW.ConvertToVector512Int16(bytes).AsInt32()
            : Vector512.Create(Vector256.WidenLower(bytes), Vector256.WidenUpper(bytes)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddProducts(Vector512<int> left, Vector512<int> right, Vector512<int> sums)
    {
        if (Avx512BW.IsSupported)
            return Avx512BW.MultiplyAddAdjacent(left.AsInt16(), right.AsInt16()) + sums;
        return ((left << 16 >> 16) * (right << 16 >> 16)) + ((left >> 16) * (right >> 16)) + sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddScaled(Vector512<int> sums, float factor, float* target) =>
        Vector512.MultiplyAddEstimate(Vector512.ConvertToSingle(sums), Vector512.Create(factor), Vector512.Load(target)).Store(target);

    public static void Finish(float* sums, float* scales, float* bias, Activation activation, bool accumulate, float* target, int count) =>
        Int8Kernels.Finish<Lanes512, Vector512<float>>(sums, scales, bias, activation, accumulate, target, count);
}
