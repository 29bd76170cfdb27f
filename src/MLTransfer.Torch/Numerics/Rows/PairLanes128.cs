using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Pairs in vectors of 128 bits.</summary>
internal readonly unsafe struct PairLanes128 : IPairLanes<Vector128<int>>
{
    public static int Count => Vector128<int>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Broadcast(int pair) => Vector128.Create(pair);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Widen(sbyte* source)
    {
        var bytes = Vector128.CreateScalarUnsafe(*(long*)source).AsSByte();
        return Vector128.WidenLower(bytes).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProducts(Vector128<int> left, Vector128<int> right, Vector128<int> sums)
    {
        if (Sse2.IsSupported)
            return Sse2.MultiplyAddAdjacent(left.AsInt16(), right.AsInt16()) + sums;
        return ((left << 16 >> 16) * (right << 16 >> 16)) + ((left >> 16) * (right >> 16)) + sums;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddScaled(Vector128<int> sums, float factor, float* target) =>
        Vector128.MultiplyAddEstimate(Vector128.ConvertToSingle(sums), Vector128.Create(factor), Vector128.Load(target)).Store(target);

    public static void Finish(float* sums, float* scales, float* bias, Activation activation, bool accumulate, float* target, int count) =>
        Int8Kernels.Finish<Lanes128, Vector128<float>>(sums, scales, bias, activation, accumulate, target, count);
}
