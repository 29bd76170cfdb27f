namespace MLTransfer.Torch.Numerics.Lanes;

/// <summary>Plain numbers in place of vectors: for what is left over at the end of a row, and for tests to compare with.</summary>
internal readonly unsafe struct ScalarLanes : ILanes<float>
{
    public static int Count => 1;

    public static float Broadcast(float value) => value;

    public static float Load(float* source) => *source;

    public static void Store(float vector, float* target) => *target = vector;

    public static void Widen(ushort* source, out float even, out float odd)
    {
        even = BFloat16Bits.ToSingle(source[0]);
        odd = BFloat16Bits.ToSingle(source[1]);
    }

    public static void Widen(Half* source, out float even, out float odd)
    {
        even = (float)source[0];
        odd = (float)source[1];
    }

    public static void Interleave(ref float even, ref float odd)
    {
        // One even and one odd number are in order.
    }

    public static float Add(float left, float right) => left + right;

    public static float Multiply(float left, float right) => left * right;

    public static float Divide(float left, float right) => left / right;

    public static float MultiplyAdd(float left, float right, float addend) => float.MultiplyAddEstimate(left, right, addend);

    public static float Max(float left, float right) => MathF.Max(left, right);

    public static float SelectLess(float left, float right, float ifLess, float otherwise) => left < right ? ifLess : otherwise;

    public static float Exp(float vector) => MathF.Exp(vector);

    public static float PowerOfTwo(float exponent) => BitConverter.Int32BitsToSingle((int)exponent + 127 << 23);

    public static float Sum(float vector) => vector;

    public static void SumEight(
        float a, float b, float c, float d,
        float e, float f, float g, float h, float* sums)
    {
        LaneSums.SumEight<ScalarLanes, float>(a, b, c, d, e, f, g, h, sums);
    }

    public static float Largest(float vector) => vector;
}
