using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Calibration;

/// <summary>3 x 3 convolutions of feature maps.</summary>
/// <param name="Channels">Of input and output.</param>
/// <param name="Size">Of the maps, in both directions.</param>
internal sealed record ConvolutionShape(int Channels, int Size) : ProductShape
{
    private const double SmallestMultiplications = 1 << 22;

    private const int SmallestSize = 4;

    private const int MostImages = 8;

    /// <summary>Of one image.</summary>
    public double Multiplications => (double)Channels * Channels * 9 * Size * Size;

    public override bool IsWorthMeasuring => Multiplications >= SmallestMultiplications;

    public override Action Prepare(double multiplications, ScalarType type)
    {
        var size = Math.Clamp((int)Math.Sqrt(multiplications / (9.0 * Channels * Channels)), SmallestSize, Size);
        var images = Math.Clamp((int)(multiplications / (9.0 * Channels * Channels * size * size)), 1, MostImages);
        var (input, weight) = (full([images, Channels, size, size], 0.5, type), full([Channels, Channels, 3, 3], 0.5, type));
        return () =>
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            _ = nn.functional.conv2d(input, weight, padding: [1, 1]);
        };
    }

    public override string ToString() => $"{Channels} channels of {Size} x {Size}";
}
