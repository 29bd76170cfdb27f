using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLTransfer.Torch.Numerics.Lanes;

/// <summary>Vectors of 4 numbers.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Vector128<float>>
{
    public static int Count => Vector128<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> vector, float* target) => vector.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen(ushort* source, out Vector128<float> even, out Vector128<float> odd)
    {
        var twos = Vector128.Load((uint*)source);
        even = (twos << 16).AsSingle();
        odd = (twos & Vector128.Create(0xFFFF0000)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen(Half* source, out Vector128<float> even, out Vector128<float> odd)
    {
        var twos = Vector128.Load((int*)source);
        even = FromUpperHalves(twos << 16);
        odd = FromUpperHalves(twos);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(ref Vector128<float> even, ref Vector128<float> odd)
    {
        var isEven = Vector128.Create(0x00000000FFFFFFFFUL).AsSingle();
        var low = Vector128.Create(0, 0, 1, 1);
        var high = Vector128.Create(2, 2, 3, 3);
        var first = Vector128.ConditionalSelect(isEven, Vector128.Shuffle(even, low), Vector128.Shuffle(odd, low));
        odd = Vector128.ConditionalSelect(isEven, Vector128.Shuffle(even, high), Vector128.Shuffle(odd, high));
        even = first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Multiply(Vector128<float> left, Vector128<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Divide(Vector128<float> left, Vector128<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> left, Vector128<float> right, Vector128<float> addend) =>
        Vector128.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Max(Vector128<float> left, Vector128<float> right) => Vector128.Max(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SelectLess(
        Vector128<float> left, Vector128<float> right, Vector128<float> ifLess, Vector128<float> otherwise) =>
        Vector128.ConditionalSelect(Vector128.LessThan(left, right), ifLess, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Exp(Vector128<float> vector) => Vector128.Exp(vector);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> PowerOfTwo(Vector128<float> exponent) =>
        ((Vector128.ConvertToInt32Native(exponent) + Vector128.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector128<float> vector) => (vector[0] + vector[2]) + (vector[1] + vector[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumEight(
        Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d,
        Vector128<float> e, Vector128<float> f, Vector128<float> g, Vector128<float> h, float* sums)
    {
        LaneSums.SumEight<Lanes128, Vector128<float>>(a, b, c, d, e, f, g, h, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector128<float> vector) => MathF.Max(MathF.Max(vector[0], vector[2]), MathF.Max(vector[1], vector[3]));

    /// <summary>The float16 numbers in the upper halves of lanes; see <see cref="Float16Bits"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FromUpperHalves(Vector128<int> bits)
    {
        var moved = ((bits & Vector128.Create(Float16Bits.Magnitude)) >> Float16Bits.Shift) + Vector128.Create(Float16Bits.InfinityRebias);
        var normal = moved.AsSingle() * Vector128.Create(Float16Bits.Unit);
        var subnormal = Vector128.MultiplyAddEstimate(normal, Vector128.Create(2f), Vector128.Create(-Float16Bits.SmallestNormal));
        return Vector128.MinNative(normal, subnormal) | (bits & Vector128.Create(int.MinValue)).AsSingle();
    }
}
