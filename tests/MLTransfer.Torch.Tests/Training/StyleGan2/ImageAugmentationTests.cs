using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.StyleGan2;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.StyleGan2;

public sealed class ImageAugmentationTests
{
    [Fact]
    public void With_probability_0_images_stay_as_they_are()
    {
        using var scope = NewDisposeScope();
        var images = Images(3);
        Assert.True(Augment(images, 0, seed: 1).equal(images).all().item<bool>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_image_is_changed_in_its_own_way_and_stays_finite(int channels)
    {
        using var scope = NewDisposeScope();
        var image = Images(channels).narrow(0, 0, 1);
        var augmented = Augment(image.expand(16, -1, -1, -1).contiguous(), 1, seed: 2);
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
        Assert.True(Augment(Images(3), 0.5, seed: 3).equal(Augment(Images(3), 0.5, seed: 3)).all().item<bool>());
    }

    [Fact]
    public void About_a_share_of_images_as_large_as_the_probability_allows_is_untouched()
    {
        // Ten transformations, and one of two that share a probability, must all not happen: 0.9^(11 + ...) of images.
        using var scope = NewDisposeScope();
        var images = Images(3).narrow(0, 0, 1).expand(1000, -1, -1, -1).contiguous();
        var unchanged = ((Augment(images, 0.1, seed: 4) - images).abs().amax([1, 2, 3]) < 1e-4).to(ScalarType.Float32).mean().item<float>();
        Assert.InRange(unchanged, Math.Pow(0.9, 13), Math.Pow(0.9, 8));
    }

    [Fact]
    public void The_gradient_is_that_of_the_affine_function_of_the_image()
    {
        using var scope = NewDisposeScope();
        var images = Images(3).requires_grad_(true);
        var augmented = Augment(images, 0.8, seed: 5);
        var slope = (arange(augmented.numel(), ScalarType.Float32) * 0.11f).cos().view(augmented.shape);
        (augmented * slope).sum().backward();

        // The augmented image is affine in the image: a difference in any direction is the gradient's product with it.
        var direction = (arange(images.numel(), ScalarType.Float32) * 0.53f).sin().view(images.shape);
        using var gradients = no_grad();
        var expected = ((Augment(images + direction, 0.8, seed: 5) - augmented) * slope).sum().item<float>();
        var actual = (images.grad! * direction).sum().item<float>();
        Assert.Equal(expected, actual, 0.01 * Math.Max(1, Math.Abs(expected)));
        Assert.True(images.grad!.abs().max().item<float>() > 0);
    }

    [Fact]
    public void The_probability_rises_while_logits_of_real_images_are_mostly_positive_and_falls_otherwise()
    {
        var control = new AugmentationControl(new StyleGan2TrainingOptions { BatchSize = 8, AugmentationRampImages = 3200 });
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

    private static Tensor Images(int channels) => (arange(2 * channels * 16 * 16, ScalarType.Float32) * 0.217f).sin().view(2, channels, 16, 16);

    private static Tensor Augment(Tensor images, double probability, ulong seed)
    {
        var random = new SplitMix64(seed);
        return ImageAugmentation.Apply(images, probability, ref random);
    }
}
