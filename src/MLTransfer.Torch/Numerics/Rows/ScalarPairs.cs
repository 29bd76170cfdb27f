using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Single pairs in place of vectors, for tests to compare with.</summary>
internal readonly unsafe struct ScalarPairs : IPairLanes<int>
{
    public static int Count => 1;

    public static int Broadcast(int pair) => pair;

    public static int Widen(sbyte* source) => (source[0] & 0xFFFF) + (source[1] << 16);

    public static int AddProducts(int left, int right, int sums) => sums + (short)left * (short)right + (left >> 16) * (right >> 16);

    public static void AddScaled(int sums, float factor, float* target) => *target = float.MultiplyAddEstimate(sums, factor, *target);

    public static void Finish(float* sums, float* scales, float* bias, Activation activation, bool accumulate, float* target, int count) =>
        Int8Kernels.Finish<ScalarLanes, float>(sums, scales, bias, activation, accumulate, target, count);
}
