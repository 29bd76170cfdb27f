using System.Numerics;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// What augmentation does to one image, in the order of its parts: pixel blitting, general geometric and color transformations (arXiv
/// 2006.06676, appendix B). The default value does nothing.
/// </summary>
internal readonly record struct ImageTransformation
{
    private static readonly Vector3 s_lumaAxis = new(1 / MathF.Sqrt(3)); // equal red, green and blue

    /// <summary>Whether left and right change places.</summary>
    public bool Mirrors { get; init; }

    /// <summary>Counterclockwise, 0 to 3.</summary>
    public int QuarterTurns { get; init; }

    /// <summary>To the right, in whole pixels.</summary>
    public int ShiftX { get; init; }

    /// <summary>Down, in whole pixels.</summary>
    public int ShiftY { get; init; }

    /// <summary>Power of two by which the image grows.</summary>
    public double ScaleExponent { get; init; }

    /// <summary>Before stretching, in radians.</summary>
    public double RotationBefore { get; init; }

    /// <summary>Power of two by which it grows in width and shrinks in height.</summary>
    public double StretchExponent { get; init; }

    /// <summary>After stretching, in radians.</summary>
    public double RotationAfter { get; init; }

    /// <summary>To the right, in widths of the image.</summary>
    public double TranslationX { get; init; }

    /// <summary>Down, in heights of the image.</summary>
    public double TranslationY { get; init; }

    /// <summary>Is added to all channels.</summary>
    public double Brightness { get; init; }

    /// <summary>Power of two by which channels are multiplied.</summary>
    public double ContrastExponent { get; init; }

    /// <summary>Whether light and dark change places while hue stays.</summary>
    public bool FlipsLuma { get; init; }

    /// <summary>A rotation of colors about gray, in radians.</summary>
    public double HueRotation { get; init; }

    /// <summary>Power of two by which colors move away from gray.</summary>
    public double SaturationExponent { get; init; }

    /// <summary>Whether pixels change places.</summary>
    public bool Blits => Mirrors || QuarterTurns != 0 || ShiftX != 0 || ShiftY != 0;

    /// <summary>Whether values between pixels are needed.</summary>
    public bool Resamples => ScaleExponent != 0 || RotationBefore != 0 || StretchExponent != 0 || RotationAfter != 0 || TranslationX != 0
        || TranslationY != 0;

    /// <summary>Whether colors change.</summary>
    public bool Recolors => Brightness != 0 || ContrastExponent != 0 || FlipsLuma || HueRotation != 0 || SaturationExponent != 0;

    /// <summary>Draws one with the paper's distributions.</summary>
    /// <param name="groups">What may happen.</param>
    /// <param name="probability">p, of each transformation.</param>
    /// <param name="channels">Of the image.</param>
    /// <param name="size">The width and height of the image.</param>
    /// <param name="random">Decides on all.</param>
    public static ImageTransformation Draw(AugmentationGroups groups, double probability, long channels, long size, ref SplitMix64 random)
    {
        var drawn = default(ImageTransformation);
        if (groups.HasFlag(AugmentationGroups.PixelBlitting))
        {
            if (Happens(probability, ref random))
                drawn = drawn with { Mirrors = Happens(0.5, ref random) };
            if (Happens(probability, ref random))
                drawn = drawn with { QuarterTurns = (int)(random.NextDouble() * 4) };
            if (Happens(probability, ref random))
                drawn = drawn with { ShiftX = Shift(size, ref random), ShiftY = Shift(size, ref random) };
        }

        if (groups.HasFlag(AugmentationGroups.Geometry))
        {
            var rotationProbability = 1 - Math.Sqrt(1 - probability); // so that one rotation at least happens with probability p
            if (Happens(probability, ref random))
                drawn = drawn with { ScaleExponent = 0.2 * random.NextNormal() };
            if (Happens(rotationProbability, ref random))
                drawn = drawn with { RotationBefore = Angle(ref random) };
            if (Happens(probability, ref random))
                drawn = drawn with { StretchExponent = 0.2 * random.NextNormal() };
            if (Happens(rotationProbability, ref random))
                drawn = drawn with { RotationAfter = Angle(ref random) };
            if (Happens(probability, ref random))
                drawn = drawn with { TranslationX = 0.125 * random.NextNormal(), TranslationY = 0.125 * random.NextNormal() };
        }

        // Brightness, contrast and luma concern gray as well as colors; what is neither is left alone.
        if (groups.HasFlag(AugmentationGroups.Color) && channels is 1 or 3)
        {
            if (Happens(probability, ref random))
                drawn = drawn with { Brightness = 0.2 * random.NextNormal() };
            if (Happens(probability, ref random))
                drawn = drawn with { ContrastExponent = 0.5 * random.NextNormal() };
            if (Happens(probability, ref random))
                drawn = drawn with { FlipsLuma = Happens(0.5, ref random) };
            if (channels == 3 && Happens(probability, ref random))
                drawn = drawn with { HueRotation = Angle(ref random) };
            if (channels == 3 && Happens(probability, ref random))
                drawn = drawn with { SaturationExponent = random.NextNormal() };
        }

        return drawn;
    }

    /// <summary>
    /// From the image to the transformed one, blitting included: for row vectors of pixels to the right of the center and pixels below it.
    /// </summary>
    /// <param name="size">The width and height of the image.</param>
    public Matrix3x2 PlaceMap(long size) =>
        Matrix3x2.CreateScale(Mirrors ? -1 : 1, 1)
        * ExactRotation(QuarterTurns)
        * Matrix3x2.CreateTranslation(ShiftX, ShiftY)
        * Matrix3x2.CreateScale(Power(ScaleExponent))
        * Matrix3x2.CreateRotation((float)-RotationBefore)
        * Matrix3x2.CreateScale(Power(StretchExponent), Power(-StretchExponent))
        * Matrix3x2.CreateRotation((float)-RotationAfter)
        * Matrix3x2.CreateTranslation((float)(TranslationX * size), (float)(TranslationY * size));

    /// <summary>From color to transformed color, for row vectors of red, green, blue and 1.</summary>
    public Matrix4x4 ColorMap()
    {
        var v = s_lumaAxis;
        var luma = new Matrix4x4( // v^T v
            v.X * v.X, v.X * v.Y, v.X * v.Z, 0,
            v.Y * v.X, v.Y * v.Y, v.Y * v.Z, 0,
            v.Z * v.X, v.Z * v.Y, v.Z * v.Z, 0,
            0, 0, 0, 0);
        var map = Matrix4x4.CreateTranslation(new Vector3((float)Brightness)) * Matrix4x4.CreateScale(Power(ContrastExponent));
        if (FlipsLuma)
            map *= Matrix4x4.Identity - luma * 2; // a reflection (Householder 1958)
        if (HueRotation != 0)
            map *= Matrix4x4.CreateFromAxisAngle(v, (float)HueRotation);
        if (SaturationExponent != 0)
            map *= (luma + (Matrix4x4.Identity - luma) * Power(SaturationExponent)) with { M44 = 1 };
        return map;
    }

    /// <summary>Without the rounding of sines, so that pixels stay pixels. The vertical axis points down.</summary>
    private static Matrix3x2 ExactRotation(int quarterTurns) => quarterTurns switch
    {
        0 => Matrix3x2.Identity,
        1 => new(0, -1, 1, 0, 0, 0),
        2 => new(-1, 0, 0, -1, 0, 0),
        _ => new(0, 1, -1, 0, 0, 0),
    };

    private static float Power(double exponent) => (float)Math.Pow(2, exponent);

    private static bool Happens(double probability, ref SplitMix64 random) => random.NextDouble() < probability;

    private static int Shift(long size, ref SplitMix64 random) => (int)Math.Round((random.NextDouble() - 0.5) / 4 * size);

    private static double Angle(ref SplitMix64 random) => Math.PI * (2 * random.NextDouble() - 1);
}
