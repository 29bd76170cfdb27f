using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Adversarial;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

/// <summary>The distributions that the paper states, over many draws.</summary>
public sealed class ImageTransformationTests
{
    private const int Count = 20_000;

    private static readonly IReadOnlyList<ImageTransformation> s_all = Draws(AugmentationGroups.All, 1);

    [Fact]
    public void Exponents_offsets_and_brightness_are_normal_with_the_papers_deviations()
    {
        AssertNormal(0.2, t => t.ScaleExponent);
        AssertNormal(0.2, t => t.StretchExponent);
        AssertNormal(0.125, t => t.TranslationX);
        AssertNormal(0.125, t => t.TranslationY);
        AssertNormal(0.2, t => t.Brightness);
        AssertNormal(0.5, t => t.ContrastExponent);
        AssertNormal(1, t => t.SaturationExponent);
    }

    [Fact]
    public void Angles_are_uniform_over_the_circle()
    {
        foreach (var angle in (Func<ImageTransformation, double>[])[t => t.RotationBefore, t => t.RotationAfter, t => t.HueRotation])
        {
            var values = s_all.Select(angle).ToList();
            Assert.All(values, value => Assert.InRange(value, -Math.PI, Math.PI));
            for (var part = 0; part < 8; part++)
                Assert.Equal(0.125, Share(values, value => (int)((value + Math.PI) / (Math.PI / 4)) == part), 0.01);
        }
    }

    [Fact]
    public void Whole_pixels_are_shifted_by_up_to_an_eighth_of_the_width()
    {
        foreach (var shift in (Func<ImageTransformation, int>[])[t => t.ShiftX, t => t.ShiftY])
        {
            var values = s_all.Select(shift).ToList(); // 32 pixels: from -4 to 4, the outermost half as often
            for (var pixels = -4; pixels <= 4; pixels++)
                Assert.Equal(Math.Abs(pixels) == 4 ? 1 / 16.0 : 1 / 8.0, Share(values, value => value == pixels), 0.01);
        }
    }

    [Fact]
    public void Mirrors_turns_and_swaps_of_light_and_dark_are_as_likely_as_their_absence()
    {
        Assert.Equal(0.5, Share(s_all, t => t.Mirrors), 0.015);
        Assert.Equal(0.5, Share(s_all, t => t.FlipsLuma), 0.015);
        for (var turns = 0; turns < 4; turns++)
            Assert.Equal(0.25, Share(s_all, t => t.QuarterTurns == turns), 0.015);
    }

    [Fact]
    public void Each_transformation_happens_with_the_probability_and_the_two_rotations_do_together()
    {
        const double p = 0.3;
        var draws = Draws(AugmentationGroups.All, p);
        Assert.Equal(p / 2, Share(draws, t => t.Mirrors), 0.01);
        Assert.Equal(p * 3 / 4, Share(draws, t => t.QuarterTurns != 0), 0.01);
        Assert.Equal(p * 7 / 8, Share(draws, t => t.ShiftX != 0), 0.01);
        Assert.Equal(p * (1 - 1 / 64.0), Share(draws, t => (t.ShiftX, t.ShiftY) != (0, 0)), 0.01); // both at once
        Assert.Equal(p, Share(draws, t => t.ScaleExponent != 0), 0.01);
        Assert.Equal(1 - Math.Sqrt(1 - p), Share(draws, t => t.RotationBefore != 0), 0.01);
        Assert.Equal(1 - Math.Sqrt(1 - p), Share(draws, t => t.RotationAfter != 0), 0.01);
        Assert.Equal(p, Share(draws, t => t.RotationBefore != 0 || t.RotationAfter != 0), 0.01);
        Assert.Equal(p, Share(draws, t => t.StretchExponent != 0), 0.01);
        Assert.Equal(p, Share(draws, t => t.TranslationX != 0 && t.TranslationY != 0), 0.01);
        Assert.Equal(p, Share(draws, t => t.Brightness != 0), 0.01);
        Assert.Equal(p, Share(draws, t => t.ContrastExponent != 0), 0.01);
        Assert.Equal(p / 2, Share(draws, t => t.FlipsLuma), 0.01);
        Assert.Equal(p, Share(draws, t => t.HueRotation != 0), 0.01);
        Assert.Equal(p, Share(draws, t => t.SaturationExponent != 0), 0.01);

        // Independent: two of them happen together with the product of their probabilities.
        Assert.Equal(p * p, Share(draws, t => t.ScaleExponent != 0 && t.Brightness != 0), 0.01);
    }

    [Theory]
    [InlineData(AugmentationGroups.PixelBlitting, true, false, false)]
    [InlineData(AugmentationGroups.Geometry, false, true, false)]
    [InlineData(AugmentationGroups.Color, false, false, true)]
    [InlineData(AugmentationGroups.PixelBlitting | AugmentationGroups.Color, true, false, true)]
    public void Only_groups_that_are_asked_for_happen(AugmentationGroups groups, bool blits, bool resamples, bool recolors)
    {
        var draws = Draws(groups, 1);
        Assert.Equal((blits, resamples, recolors), (draws.Any(t => t.Blits), draws.Any(t => t.Resamples), draws.Any(t => t.Recolors)));
    }

    [Fact]
    public void Gray_has_no_hue_and_channels_that_are_no_colors_are_left_alone()
    {
        var gray = Draws(AugmentationGroups.Color, 1, channels: 1);
        Assert.All(gray, t => Assert.Equal((0, 0), (t.HueRotation, t.SaturationExponent)));
        Assert.All(gray, t => Assert.True(t.Brightness != 0 && t.ContrastExponent != 0));
        Assert.All(Draws(AugmentationGroups.Color, 1, channels: 2), t => Assert.Equal(default, t));
    }

    private static List<ImageTransformation> Draws(AugmentationGroups groups, double probability, int channels = 3)
    {
        var random = new SplitMix64(17);
        var draws = new List<ImageTransformation>();
        for (var i = 0; i < Count; i++)
            draws.Add(ImageTransformation.Draw(groups, probability, channels, size: 32, ref random));
        return draws;
    }

    private static double Share<T>(IEnumerable<T> values, Func<T, bool> condition) => values.Count(condition) / (double)Count;

    private static void AssertNormal(double deviation, Func<ImageTransformation, double> value)
    {
        var scaled = s_all.Select(t => value(t) / deviation).ToList();
        Assert.Equal(0, scaled.Average(), 0.03);
        Assert.Equal(1, scaled.Average(v => v * v), 0.05);
        Assert.Equal(3, scaled.Average(v => v * v * v * v), 0.3);
        Assert.Equal(0.6827, Share(scaled, v => Math.Abs(v) < 1), 0.015);
    }
}
