using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLTransfer.Torch.Numerics.Lanes;

/// <summary>Vectors of 16 numbers.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector512<float>>
{
    public static int Count => Vector512<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> vector, float* target) => vector.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen(ushort* source, out Vector512<float> even, out Vector512<float> odd)
    {
        var twos = Vector512.Load((uint*)source);
        even = (twos << 16).AsSingle();
        odd = (twos & Vector512.Create(0xFFFF0000)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen(Half* source, out Vector512<float> even, out Vector512<float> odd)
    {
        var twos = Vector512.Load((int*)source);
        even = FromUpperHalves(twos << 16);
        odd = FromUpperHalves(twos);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Interleave(ref Vector512<float> even, ref Vector512<float> odd)
    {
        var isEven = Vector512.Create(0x00000000FFFFFFFFUL).AsSingle();
        var low = Vector512.Create(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
        var high = Vector512.Create(8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15);
        var first = Vector512.ConditionalSelect(isEven, Vector512.Shuffle(even, low), Vector512.Shuffle(odd, low));
        odd = Vector512.ConditionalSelect(isEven, Vector512.Shuffle(even, high), Vector512.Shuffle(odd, high));
        even = first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> left, Vector512<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Divide(Vector512<float> left, Vector512<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> left, Vector512<float> right, Vector512<float> addend) =>
        Vector512.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> left, Vector512<float> right) => Vector512.Max(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SelectLess(
        Vector512<float> left, Vector512<float> right, Vector512<float> ifLess, Vector512<float> otherwise) =>
        Vector512.ConditionalSelect(Vector512.LessThan(left, right), ifLess, otherwise);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> vector) => Vector512.Exp(vector);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> PowerOfTwo(Vector512<float> exponent) =>
        ((Vector512.ConvertToInt32Native(exponent) + Vector512.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> vector) => Lanes256.Sum(vector.GetLower() + vector.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SumEight(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d,
        Vector512<float> e, Vector512<float> f, Vector512<float> g, Vector512<float> h, float* sums)
    {
        if (!Avx512F.IsSupported)
        {
            LaneSums.SumEight<Lanes512, Vector512<float>>(a, b, c, d, e, f, g, h, sums);
            return;
        }

        // Halves, quarters and so on are added as Sum adds them; each step puts what two vectors have left into one.
        var abcd = AddQuarters(AddHalves(a, b), AddHalves(c, d)); // four numbers of each
        var efgh = AddQuarters(AddHalves(e, f), AddHalves(g, h));
        var twos = Avx512F.Shuffle(abcd, efgh, 0b01_00_01_00) + Avx512F.Shuffle(abcd, efgh, 0b11_10_11_10); // a, a, e, e, b, b, f, f, ...
        var ones = twos + Avx512F.Shuffle(twos, twos, 0b10_11_00_01);
        Avx512F.PermuteVar16x32(ones, Vector512.Create(0, 4, 8, 12, 2, 6, 10, 14, 0, 0, 0, 0, 0, 0, 0, 0)).GetLower().Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Largest(Vector512<float> vector) => Lanes256.Largest(Vector256.Max(vector.GetLower(), vector.GetUpper()));

    /// <summary>Two quarters of each: left, left, right, right.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddHalves(Vector512<float> left, Vector512<float> right) =>
        Avx512F.Shuffle4x128(left, right, 0b01_00_01_00) + Avx512F.Shuffle4x128(left, right, 0b11_10_11_10);

    /// <summary>One quarter of each of the four that two results of <see cref="AddHalves"/> hold.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddQuarters(Vector512<float> left, Vector512<float> right) =>
        Avx512F.Shuffle4x128(left, right, 0b10_00_10_00) + Avx512F.Shuffle4x128(left, right, 0b11_01_11_01);

    /// <summary>The float16 numbers in the upper halves of lanes; see <see cref="Float16Bits"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> FromUpperHalves(Vector512<int> bits)
    {
        var moved = ((bits & Vector512.Create(Float16Bits.Magnitude)) >> Float16Bits.Shift) + Vector512.Create(Float16Bits.InfinityRebias);
        var normal = moved.AsSingle() * Vector512.Create(Float16Bits.Unit);
        var subnormal = Vector512.MultiplyAddEstimate(normal, Vector512.Create(2f), Vector512.Create(-Float16Bits.SmallestNormal));
        return Vector512.MinNative(normal, subnormal) | (bits & Vector512.Create(int.MinValue)).AsSingle();
    }
}
