using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLTransfer.Torch.Numerics.Lanes;

/// <summary>Vectors of 8 numbers.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Vector256<float>>
{
    public static int Count => Vector256<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> vector, float* target) => vector.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen(ushort* source, out Vector256<float> even, out Vector256<float> odd)
    {
        var twos = Vector256.Load((uint*)source);
        even = (twos << 16).AsSingle();
        odd = (twos & Vector256.Create(0xFFFF0000)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen(Half* source, out Vector256<float> even, out Vector256<float> odd)
    {
        var twos = Vector256.Load((int*)source);
        even = FromUpperHalves(twos << 16);
        odd = FromUpperHalves(twos);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(ref Vector256<float> even, ref Vector256<float> odd)
    {
        var isEven = Vector256.Create(0x00000000FFFFFFFFUL).AsSingle();
        var low = Vector256.Create(0, 0, 1, 1, 2, 2, 3, 3);
        var high = Vector256.Create(4, 4, 5, 5, 6, 6, 7, 7);
        var first = Vector256.ConditionalSelect(isEven, Vector256.Shuffle(even, low), Vector256.Shuffle(odd, low));
        odd = Vector256.ConditionalSelect(isEven, Vector256.Shuffle(even, high), Vector256.Shuffle(odd, high));
        even = first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> left, Vector256<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Divide(Vector256<float> left, Vector256<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        Vector256.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> left, Vector256<float> right) => Vector256.Max(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SelectLess(
        Vector256<float> left, Vector256<float> right, Vector256<float> ifLess, Vector256<float> otherwise) =>
        Vector256.ConditionalSelect(Vector256.LessThan(left, right), ifLess, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> vector) => Vector256.Exp(vector);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> PowerOfTwo(Vector256<float> exponent) =>
        ((Vector256.ConvertToInt32Native(exponent) + Vector256.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> vector) => Lanes128.Sum(vector.GetLower() + vector.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumEight(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d,
        Vector256<float> e, Vector256<float> f, Vector256<float> g, Vector256<float> h, float* sums)
    {
        LaneSums.SumEight<Lanes256, Vector256<float>>(a, b, c, d, e, f, g, h, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector256<float> vector) => Lanes128.Largest(Vector128.Max(vector.GetLower(), vector.GetUpper()));

    /// <summary>The float16 numbers in the upper halves of lanes; see <see cref="Float16Bits"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> FromUpperHalves(Vector256<int> bits)
    {
        var moved = ((bits & Vector256.Create(Float16Bits.Magnitude)) >> Float16Bits.Shift) + Vector256.Create(Float16Bits.InfinityRebias);
        var normal = moved.AsSingle() * Vector256.Create(Float16Bits.Unit);
        var subnormal = Vector256.MultiplyAddEstimate(normal, Vector256.Create(2f), Vector256.Create(-Float16Bits.SmallestNormal));
        return Vector256.MinNative(normal, subnormal) | (bits & Vector256.Create(int.MinValue)).AsSingle();
    }
}
