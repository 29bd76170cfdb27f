using MLTransfer.Torch.Training.Adversarial;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

[Collection(ProcessWideState.Name)]
public sealed class ImageAugmentationTests
{
    private static readonly double s_root = Math.Sqrt(3);

    [Fact]
    public void Mirroring_and_quarter_turns_move_pixels_as_they_are()
    {
        using var scope = NewDisposeScope();
        var image = Images(1, 3);
        AssertSame(image.flip(3), Apply(image, new ImageTransformation { Mirrors = true }));
        for (var turns = 1; turns < 4; turns++)
        {
            AssertSame(image.rot90(turns, (2, 3)), Apply(image, new ImageTransformation { QuarterTurns = turns }));
            AssertSame(image.flip(3).rot90(turns, (2, 3)), Apply(image, new ImageTransformation { Mirrors = true, QuarterTurns = turns }));
        }
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(0, -1)]
    [InlineData(-2, 2)]
    public void Shifts_move_pixels_as_they_are_and_reflect_at_the_sides(int right, int down)
    {
        using var scope = NewDisposeScope();
        var image = Images(1, 3);
        var shifted = Apply(image, new ImageTransformation { ShiftX = right, ShiftY = down });
        for (var y = 0; y < 16; y++)
        {
            for (var x = 0; x < 16; x++)
                AssertSame(image[0, .., Source(y - down), Source(x - right)], shifted[0, .., y, x]);
        }

        static int Source(int place) => place < 0 ? -place : place > 15 ? 30 - place : place;
    }

    [Fact]
    public void Pixels_of_blitting_and_geometry_together_come_from_one_map()
    {
        using var scope = NewDisposeScope();
        var transformation =
            new ImageTransformation { Mirrors = true, QuarterTurns = 1, ShiftX = 2, ScaleExponent = 0.3, RotationAfter = 1 };
        var image = Images(1, 3);
        AssertSame(FilteredSampling.Apply(image, [transformation.PlaceMap(16)]), Apply(image, transformation));
    }

    [Fact]
    public void The_map_of_geometry_agrees_with_blitting_on_where_pixels_go()
    {
        using var scope = NewDisposeScope();
        var wave = (arange(16, ScalarType.Float32) * 0.3f).sin();
        var image = (wave + (wave * 2).cos().unsqueeze(1)).expand(1, 3, 16, 16).contiguous();
        foreach (var transformation in (
            ImageTransformation[])[new() { QuarterTurns = 1, ShiftX = 2 }, new() { Mirrors = true, QuarterTurns = 3, ShiftY = -1 }])
        {
            // The filter is not quite symmetric, so that turned pixels are not quite the same.
            var difference =
                (FilteredSampling.Apply(image, [transformation.PlaceMap(16)]) - Apply(image, transformation)).abs().mean().item<float>();
            Assert.True(difference < 0.02, $"mean difference {difference}");
        }
    }

    [Fact]
    public void Each_image_of_a_batch_has_its_own_transformation()
    {
        using var scope = NewDisposeScope();
        var images = Images(5, 3);
        ImageTransformation[] transformations =
        [
            new() { RotationBefore = 0.5, Brightness = 0.1 }, default, new() { Mirrors = true }, new() { ScaleExponent = 0.3 },
            new() { HueRotation = 1 },
        ];
        var together = Apply(images, transformations);
        for (var i = 0; i < 5; i++)
        {
            var difference = (Apply(images[i].unsqueeze(0), transformations[i])[0] - together[i]).abs().max().item<float>();
            Assert.True(difference < 1e-6, $"image {i}: {difference}");
        }

        AssertSame(images[1], together[1]);
    }

    [Fact]
    public void Colors_change_as_the_formulas_say()
    {
        AssertColors(new() { Brightness = 0.3 }, c => c.Select(v => v + 0.3));
        AssertColors(new() { ContrastExponent = 0.5 }, c => c.Select(v => v * Math.Sqrt(2)));
        AssertColors(new() { FlipsLuma = true }, c => c.Select(v => v - 2 * c.Average()));
        AssertColors(new() { SaturationExponent = 1 }, c => c.Select(v => c.Average() + 2 * (v - c.Average())));
        AssertColors(new() { HueRotation = 0.8 }, c => Turned(c, 0.8));
        AssertColors(new() { HueRotation = 2 * Math.PI / 3 }, c => [c[2], c[0], c[1]]); // red becomes green
        AssertColors( // one after another
            new() { Brightness = -0.2, ContrastExponent = 1, FlipsLuma = true, HueRotation = -1, SaturationExponent = -1 },
            c =>
            {
                var contrasted = c.Select(v => 2 * (v - 0.2)).ToArray();
                var flipped = contrasted.Select(v => v - 2 * contrasted.Average()).ToArray();
                var turned = Turned(flipped, -1);
                return turned.Select(v => turned.Average() + (v - turned.Average()) / 2);
            });

        // Rodrigues' rotation about (1, 1, 1) / sqrt 3.
        static double[] Turned(double[] c, double angle)
        {
            var (along, cosine, sine) = (c.Sum() / s_root, Math.Cos(angle), Math.Sin(angle));
            double[] cross = [(c[2] - c[1]) / s_root, (c[0] - c[2]) / s_root, (c[1] - c[0]) / s_root];
            return [.. c.Select((v, i) => v * cosine + cross[i] * sine + along / s_root * (1 - cosine))];
        }
    }

    [Fact]
    public void Gray_images_get_brightness_contrast_and_swapped_light_and_dark()
    {
        using var scope = NewDisposeScope();
        var images = Images(2, 1);
        var changed = Apply(images, new() { Brightness = 0.25, ContrastExponent = 1, FlipsLuma = true }, new() { Brightness = -0.5 });
        Assert.True((changed[0] + (images[0] + 0.25) * 2).abs().max().item<float>() < 1e-6);
        Assert.True((changed[1] - (images[1] - 0.5)).abs().max().item<float>() < 1e-6);
    }

    [Theory]
    [InlineData(AugmentationGroups.All, 0)]
    [InlineData(AugmentationGroups.None, 1)]
    public void Without_augmentation_images_are_the_same_memory_and_nothing_is_drawn(AugmentationGroups groups, double probability)
    {
        using var scope = NewDisposeScope();
        using var draws = new TrainingDraws(1, 1);
        using var untouched = new TrainingDraws(1, 1);
        var images = Images(2, 3);
        var augmented = draws.Augment(images, groups, probability);
        AssertSame(images, augmented);
        images.fill_(0.5f);
        AssertSame(images, augmented);
        Assert.Equal(untouched.Next(0, int.MaxValue), draws.Next(0, int.MaxValue));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_image_is_changed_in_its_own_way_and_stays_finite(int channels)
    {
        using var scope = NewDisposeScope();
        var image = Images(1, channels);
        var augmented = Draw(image.expand(16, -1, -1, -1).contiguous(), 1, step: 2);
        Assert.Equal([16, channels, 16, 16], augmented.shape);
        Assert.True(augmented.isfinite().all().item<bool>());
        for (var i = 0; i < 16; i++)
        {
            Assert.False(augmented[i].allclose(image[0], atol: 0.01));
            Assert.False(augmented[i].allclose(augmented[(i + 1) % 16], atol: 0.01));
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        AssertSame(Draw(Images(4, 3), 0.5, step: 3), Draw(Images(4, 3), 0.5, step: 3));
    }

    [Fact]
    public void The_share_of_images_that_stay_is_what_no_transformation_leaves()
    {
        // Of ten transformations, two rotations count once; a mirror image, no turn and no shift may be drawn as well.
        using var scope = NewDisposeScope();
        const double p = 0.1;
        var images = Images(1, 3).expand(2000, -1, -1, -1).contiguous();
        var unchanged = (Draw(images, p, step: 4) == images).all(1).all(1).all(1).to(ScalarType.Float32).mean().item<float>();
        var expected = (1 - p / 2) * (1 - p * 3 / 4) * (1 - p * (1 - 1 / 16.0)) * Math.Pow(1 - p, 4 + 4) * (1 - p / 2);
        Assert.Equal(expected, unchanged, 0.03);
    }

    [Fact]
    public void The_gradient_penalty_is_that_of_images_before_augmentation()
    {
        // In float64: the squared gradient of the logit of an augmented image by the image, from differences of logits alone.
        using var scope = NewDisposeScope();
        using var discriminator = TinyNetworks.Discriminator();
        var images = Images(2, 3, size: 8).to(ScalarType.Float64);
        Tensor Augment(Tensor x) => Apply(x, s_some);
        var actual = AdversarialLosses.GradientPenalty(discriminator, images, augment: Augment).item<double>();
        var behindAugmentation = AdversarialLosses.GradientPenalty(discriminator, Augment(images)).item<double>();
        Assert.True(Math.Abs(behindAugmentation - actual) > 0.1 * actual); // another number

        using var gradients = no_grad();
        var (expected, step) = (0.0, 1e-5);
        for (var i = 0; i < images.numel(); i++)
        {
            using var inner = NewDisposeScope();
            double At(double change)
            {
                var moved = images.clone();
                moved.view(-1)[i] += change;
                return discriminator.Forward(Augment(moved)).sum().item<double>();
            }

            expected += Math.Pow((At(step) - At(-step)) / (2 * step), 2);
        }

        Assert.Equal(expected / 2, actual, 1e-6 * expected);
    }

    [Fact]
    public void Gradients_of_the_penalty_by_the_discriminators_weights_equal_finite_differences()
    {
        using var scope = NewDisposeScope();
        using var discriminator = TinyNetworks.Discriminator();
        var images = Images(2, 3, size: 8).to(ScalarType.Float64);
        Tensor Penalty() => AdversarialLosses.GradientPenalty(discriminator, images, augment: x => Apply(x, s_some));
        Penalty().backward();
        TinyNetworks.AssertGradients(discriminator, () => Penalty().item<double>());
    }

    [Fact]
    public void Regularization_penalizes_the_gradient_through_the_drawn_augmentation()
    {
        using var scope = NewDisposeScope();
        using var model = TinyImages.CreateModel();
        using var images = TinyImages.Create();
        using var updates = new AdversarialUpdates(model.Generator, model.Discriminator, TinyImages.Options(folder: null));
        using var draws = new TrainingDraws(5, 0);
        using var sameDraws = new TrainingDraws(5, 0);
        var real = images.Take([0, 1, 2, 3], CPU);
        var expected = AdversarialLosses.GradientPenalty(
            model.Discriminator, real, augment: x => sameDraws.Augment(x, AugmentationGroups.All, 0.8)).item<float>();
        Assert.Equal(expected, updates.RegularizeDiscriminator(real, null, draws, augmentation: 0.8), 1e-5 * expected);
    }

    [Fact]
    public void The_probability_rises_while_logits_of_real_images_are_mostly_positive_and_falls_otherwise()
    {
        var control = new AugmentationControl(new AdversarialTrainingOptions { BatchSize = 8, AugmentationRampImages = 3200 });
        for (var i = 0; i < 40; i++)
            control.Observe(0.9);
        Assert.Equal(0.1, control.Probability, 10);
        Assert.Equal(0.9, control.RealLogitSign!.Value, 10);
        for (var i = 0; i < 20; i++)
            control.Observe(0.1);
        Assert.Equal(0.05, control.Probability, 10);
        for (var i = 0; i < 400; i++)
            control.Observe(-1);
        Assert.Equal(0, control.Probability);
    }

    [Fact]
    public void The_probability_goes_from_0_to_1_in_the_ramps_images_and_changes_every_fourth_batch()
    {
        var control = new AugmentationControl(new AdversarialTrainingOptions { BatchSize = 4, AugmentationRampImages = 160 });
        var values = new List<double>();
        for (var batch = 1; batch <= 44; batch++)
        {
            control.Observe(batch % 4 == 0 ? 1 : 0.5); // 0.625 over four batches, above 0.6
            values.Add(control.Probability);
        }

        Assert.All(values.Index(), v => Assert.Equal(Math.Min(1, (v.Index + 1) / 4 * 0.1), v.Item, 10));
        Assert.Equal(1, values[39], 10); // 160 images
    }

    [Fact]
    public void Without_augmentations_the_probability_stays_zero()
    {
        var control = new AugmentationControl(
            new AdversarialTrainingOptions { Augmentations = AugmentationGroups.None, AugmentationProbability = 0.5 });
        for (var i = 0; i < 40; i++)
            control.Observe(1);
        Assert.Equal(0, control.Probability);
        Assert.Equal(1, control.RealLogitSign);
    }

    private static readonly ImageTransformation[] s_some =
    [
        new() { Mirrors = true, RotationBefore = 0.6, StretchExponent = 0.2, TranslationX = 0.1, ContrastExponent = 0.5, HueRotation = 1,
            SaturationExponent = 0.7 },
        new() { QuarterTurns = 1, ShiftX = 1, FlipsLuma = true, ContrastExponent = -0.8 },
    ];

    private static Tensor Images(int count, int channels, int size = 16) =>
        (arange(count * channels * size * size, ScalarType.Float32) * 0.217f).sin().view(count, channels, size, size);

    private static Tensor Apply(Tensor images, params ImageTransformation[] transformations) =>
        ImageAugmentation.Apply(images, transformations);

    private static Tensor Draw(Tensor images, double probability, int step)
    {
        using var draws = new TrainingDraws(1, step);
        return draws.Augment(images, AugmentationGroups.All, probability);
    }

    private static void AssertColors(ImageTransformation transformation, Func<double[], IEnumerable<double>> formula)
    {
        using var scope = NewDisposeScope();
        var images = Images(1, 3);
        var changed = Apply(images, transformation);
        for (var i = 0; i < 256; i += 15)
        {
            var color = images[0, .., i / 16, i % 16].to(ScalarType.Float64).data<double>().ToArray();
            var expected = formula(color).ToArray();
            var actual = changed[0, .., i / 16, i % 16].to(ScalarType.Float64).data<double>().ToArray();
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
    }

    private static void AssertSame(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(expected.equal(actual).all().item<bool>());
    }
}
