using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Calibration;

/// <summary>Rows times a matrix.</summary>
/// <param name="Inputs">The width of a row.</param>
/// <param name="Outputs">The width of a row of the product.</param>
internal sealed record MatrixShape(int Inputs, int Outputs) : ProductShape
{
    private const long SmallestMatrix = 1 << 16;

    /// <summary>Larger ones are as fast a multiplication, and only take longer to make.</summary>
    private const int LargestMatrix = 1 << 22;

    private const int FewestRows = 4;

    private const int MostRows = 256;

    public override bool IsWorthMeasuring => (long)Inputs * Outputs >= SmallestMatrix;

    public override Action Prepare(double multiplications, ScalarType type)
    {
        var outputs = Math.Max(1, Math.Min(Outputs, LargestMatrix / Inputs));
        var rows = (int)Math.Clamp(multiplications / ((double)Inputs * outputs), FewestRows, MostRows);
        var (input, weight) = (full([rows, Inputs], 0.5, type), full([outputs, Inputs], 0.5, type));
        return () =>
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            var output = nn.functional.linear(input, weight); // [rows, outputs]
            _ = output.t().mm(input);                         // [outputs, inputs], as the weight's gradient
            _ = output.mm(weight);                            // [rows, inputs], as the input's
        };
    }

    public override string ToString() => $"{Inputs} x {Outputs}";
}
