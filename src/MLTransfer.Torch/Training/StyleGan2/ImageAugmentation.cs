using System.Numerics;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Training.StyleGan2;

/// <summary>
/// Random changes of what the discriminator sees (arXiv 2006.06676, appendix B): pixel blitting, general geometric and color transformations, each with
/// the same probability. Gradients pass through.
/// </summary>
/// <remarks>All geometric transformations of an image are one affine map, sampled bilinearly with reflection at the borders.</remarks>
internal static class ImageAugmentation
{
    private static readonly Vector3 s_gray = new(1 / MathF.Sqrt(3)); // the direction of equal red, green and blue

    /// <summary>Augments each image on its own.</summary>
    /// <param name="images">[N, C, R, R].</param>
    /// <param name="probability">Of each transformation; 0 gives the images as they are.</param>
    /// <param name="random">Decides on all.</param>
    public static Tensor Apply(Tensor images, double probability, ref SplitMix64 random)
    {
        if (probability <= 0)
            return images.alias();
        using var scope = NewDisposeScope();
        var (count, channels, size) = ((int)images.shape[0], images.shape[1], (int)images.shape[2]);
        var maps = new float[count * 6];
        var colors = new float[count * 12];
        for (var i = 0; i < count; i++)
        {
            WriteInverse(Geometry(size, probability, ref random), maps.AsSpan(i * 6, 6));
            Write(Colors(channels, probability, ref random), colors.AsSpan(i * 12, 12));
        }

        var grid = F.affine_grid(tensor(maps, [count, 2, 3], device: images.device), images.shape); // [N, R, R, 2]
        var moved = F.grid_sample(images, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Reflection, false);
        var color = tensor(colors, [count, 3, 4], device: images.device);
        var pixels = moved.view(count, channels, -1); // [N, C, R R]
        pixels = channels switch
        {
            3 => bmm(color.narrow(2, 0, 3), pixels) + color.narrow(2, 3, 1),
            // Of the color transformations, brightness and contrast alone concern gray: they treat all channels alike.
            1 => pixels * color.narrow(1, 0, 1).narrow(2, 0, 1) + color.narrow(1, 0, 1).narrow(2, 3, 1),
            _ => pixels,
        };
        return pixels.view(images.shape).MoveToOuterDisposeScope();
    }

    /// <summary>From the image to the augmented one, in coordinates from -1 to 1.</summary>
    private static Matrix3x2 Geometry(int size, double probability, ref SplitMix64 random)
    {
        var map = Matrix3x2.Identity;

        // Pixel blitting.
        if (Happens(probability, ref random))
            map *= Matrix3x2.CreateScale(Happens(0.5, ref random) ? -1 : 1, 1);
        if (Happens(probability, ref random))
            map *= QuarterTurns((int)(random.NextDouble() * 4));
        if (Happens(probability, ref random))
        {
            map *= Matrix3x2.CreateTranslation(
                2 * MathF.Round(Uniform(-0.125, 0.125, ref random) * size) / size, 2 * MathF.Round(Uniform(-0.125, 0.125, ref random) * size) / size);
        }

        // General geometry. Rotations before and after the stretching happen with the same probability together.
        var rotationProbability = 1 - Math.Sqrt(1 - probability);
        if (Happens(probability, ref random))
            map *= Matrix3x2.CreateScale(float.Exp2(Normal(0.2, ref random)));
        if (Happens(rotationProbability, ref random))
            map *= Matrix3x2.CreateRotation(Uniform(-Math.PI, Math.PI, ref random));
        if (Happens(probability, ref random))
        {
            var stretch = float.Exp2(Normal(0.2, ref random));
            map *= Matrix3x2.CreateScale(stretch, 1 / stretch);
        }

        if (Happens(rotationProbability, ref random))
            map *= Matrix3x2.CreateRotation(Uniform(-Math.PI, Math.PI, ref random));
        if (Happens(probability, ref random))
            map *= Matrix3x2.CreateTranslation(2 * Normal(0.125, ref random), 2 * Normal(0.125, ref random));
        return map;
    }

    /// <summary>From color to augmented color.</summary>
    private static Matrix4x4 Colors(long channels, double probability, ref SplitMix64 random)
    {
        var map = Matrix4x4.Identity;
        if (Happens(probability, ref random))
            map *= Matrix4x4.CreateTranslation(new Vector3(Normal(0.2, ref random)));
        if (Happens(probability, ref random))
            map *= Matrix4x4.CreateScale(float.Exp2(Normal(0.5, ref random)));
        if (channels != 3)
            return map;

        var gray = OuterProduct(s_gray);
        if (Happens(probability, ref random) && Happens(0.5, ref random))
            map *= Matrix4x4.Identity - gray * 2; // light and dark change places, hue stays
        if (Happens(probability, ref random))
            map *= Matrix4x4.CreateFromAxisAngle(s_gray, Uniform(-Math.PI, Math.PI, ref random));
        if (Happens(probability, ref random))
            map *= (gray + (Matrix4x4.Identity - gray) * float.Exp2(Normal(1, ref random))) with { M44 = 1 };
        return map;
    }

    /// <summary>Exact, so that pixels stay pixels.</summary>
    private static Matrix3x2 QuarterTurns(int count) => count switch
    {
        0 => Matrix3x2.Identity,
        1 => new(0, 1, -1, 0, 0, 0),
        2 => new(-1, 0, 0, -1, 0, 0),
        _ => new(0, -1, 1, 0, 0, 0),
    };

    private static Matrix4x4 OuterProduct(Vector3 v) => new(
        v.X * v.X, v.X * v.Y, v.X * v.Z, 0,
        v.Y * v.X, v.Y * v.Y, v.Y * v.Z, 0,
        v.Z * v.X, v.Z * v.Y, v.Z * v.Z, 0,
        0, 0, 0, 0);

    /// <summary>Where in the image a place of the augmented image comes from, as rows for column vectors.</summary>
    private static void WriteInverse(Matrix3x2 map, Span<float> target)
    {
        Matrix3x2.Invert(map, out var inverse); // no factor is 0
        ((ReadOnlySpan<float>)[inverse.M11, inverse.M21, inverse.M31, inverse.M12, inverse.M22, inverse.M32]).CopyTo(target);
    }

    private static void Write(Matrix4x4 map, Span<float> target) => ((ReadOnlySpan<float>)[
        map.M11, map.M21, map.M31, map.M41, map.M12, map.M22, map.M32, map.M42, map.M13, map.M23, map.M33, map.M43]).CopyTo(target);

    private static bool Happens(double probability, ref SplitMix64 random) => random.NextDouble() < probability;

    private static float Uniform(double from, double to, ref SplitMix64 random) => (float)(from + (to - from) * random.NextDouble());

    private static float Normal(double standardDeviation, ref SplitMix64 random) => (float)(standardDeviation * random.NextNormal());
}
