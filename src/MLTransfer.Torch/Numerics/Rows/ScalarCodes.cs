using MLTransfer.Torch.Numerics.Lanes;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Four codes in place of vectors, for tests to compare with.</summary>
internal readonly unsafe struct ScalarCodes : ICodeLanes<int, float>
{
    public static int Count => 1;

    public static int WidestGroup => 2;

    public static int Load(byte* source) => *(int*)source;

    public static int LowCodes(int bytes) => bytes & 0x0F0F0F0F;

    public static int HighCodes(int bytes) => (bytes >>> 4) & 0x0F0F0F0F;

    public static int AddProducts(int codes, int values, int sums)
    {
        for (var shift = 0; shift < 32; shift += 8)
            sums += (codes >> shift & 0xFF) * (sbyte)(values >> shift);
        return sums;
    }

    public static int Add(int left, int right) => left + right;

    public static float Total(int sums, int offset) => sums + offset;

    public static float LowScales(int words) => BitConverter.Int32BitsToSingle(words << 16);

    public static float HighScales(int words) => BitConverter.Int32BitsToSingle(words & -1 << 16);

    public static float AddScaled(float totals, float scales, float scale, float sums) =>
        float.MultiplyAddEstimate(totals, scales * scale, sums);

    public static void Store(float sums, float* target) => *target = sums;

    public static void Finish(float* sums, float* bias, Activation activation, bool accumulate, float* target, int count) =>
        RowKernels<ScalarLanes, float, float>.Finish(sums, bias, activation, accumulate, target, count);
}
