using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

[Collection(ProcessWideState.Name)]
public sealed class ConditionalTrainingTests
{
    [Fact]
    public void Trained_on_dark_and_bright_images_the_generator_makes_what_the_label_says()
    {
        using var scope = NewDisposeScope();
        manual_seed(21);
        using var model = StyleGan2Model.Create(
            StyleGan2Model.Configure(8, channelBase: 128, channelMaximum: 16, latentWidth: 16, mappingLayers: 2, labelWidth: 2));
        var classes = arange(40) % 2; // 0 dark, 1 bright
        var pixels = (classes.view(40, 1, 1, 1) * 140 + 20 + (randn(40, 3, 8, 8) * 15)).clamp(0, 255).to(ScalarType.Byte);
        using var images = new ImageSet(pixels, nn.functional.one_hot(classes, 2).to(ScalarType.Float32));
        var before = Separation(model.Generator);
        var result = new StyleGan2Trainer(model, new AdversarialTrainingOptions
        {
            TotalImages = 1200,
            BatchSize = 8,
            LearningRate = 0.01,
            GradientPenaltyWeight = 0.5,
            GradientPenaltyInterval = 4,
            PathLengthInterval = 0,
            StyleMixingProbability = 0,
            AverageHalfLife = 100,
            AverageRampUp = 0,
            Augmentations = AugmentationGroups.PixelBlitting | AugmentationGroups.Geometry, // brightness is what tells the classes
            AugmentationProbability = 0.3,
            AugmentationRampImages = 0,
        }, images).Train(cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(result.History, report => Assert.Equal(0.3, report.AugmentationProbability));

        // Real images: about 20 and 160 of 255.
        var after = Separation(model.Generator);
        Assert.True(Math.Abs(before.Dark - before.Bright) < 0.2, $"before: {before}");
        Assert.Equal(2 * 20 / 255.0 - 1, after.Dark, 0.15);
        Assert.Equal(2 * 160 / 255.0 - 1, after.Bright, 0.15);
    }

    /// <summary>The mean of images of the same latent vectors for either label.</summary>
    private static (double Dark, double Bright) Separation(StyleGan2Generator generator)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var random = new Generator(3, CPU);
        var latents = randn(64, generator.LatentWidth, generator: random);
        double Mean(int label) => generator.Generate(
            latents, nn.functional.one_hot(full(64, label, ScalarType.Int64), 2).to(ScalarType.Float32),
            noise: NoiseMode.None).mean().item<float>();
        return (Mean(0), Mean(1));
    }
}
