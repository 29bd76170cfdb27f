using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Models.Tests;

public sealed class TransferPrecisionTests
{
    [Fact]
    public void Training_in_bfloat16_comes_as_near_to_new_pictures_as_training_in_float32()
    {
        using var untrained = StyleGan2Model.Load(ShapesModel.Folder);
        using var negatives = Negatives(untrained.Generator, 64);
        // What lies where, in 8 x 8 grey cells.
        var extractor =
            new DelegateFeatureExtractor(images => nn.functional.adaptive_avg_pool2d(images.mean([1], keepdim: true), 8).flatten(1));

        var before = GeneratorEvaluator.Evaluate(
            untrained.Generator, negatives, extractor, count: 256, cancellationToken: TestContext.Current.CancellationToken)
            .FrechetDistance;
        var inFloat32 = DistanceAfterTraining(Precision.Float32);
        var inBFloat16 = DistanceAfterTraining(Precision.BFloat16);

        Assert.InRange(inFloat32, 0, before / 10);
        Assert.InRange(inBFloat16, 0, 1.25 * inFloat32);

        double DistanceAfterTraining(Precision precision)
        {
            using var model = StyleGan2Model.Load(ShapesModel.Folder);
            var options = new AdversarialTrainingOptions
            {
                TotalImages = 480, BatchSize = 8, AverageHalfLife = 80, AverageRampUp = 0, PathLengthInterval = 0,
                GradientPenaltyWeight = 0.05,
                FrozenDiscriminatorBlocks = 1, EvaluationCount = 256, Seed = 1, Precision = precision,
            };
            return new StyleGan2Trainer(model, options, negatives, extractor)
                .Train(cancellationToken: TestContext.Current.CancellationToken).FrechetDistance!.Value;
        }
    }

    /// <summary>The negatives of pictures that the embedded model makes: far from its pictures, and soon learned.</summary>
    private static ImageSet Negatives(StyleGan2Generator generator, int count)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var random = new Generator(1);
        var pictures = generator.Generate(randn([count, generator.LatentWidth], generator: random), noise: NoiseMode.Constant);
        return new ImageSet(((1 - pictures.clamp(-1, 1)) * 127.5).to(ScalarType.Byte));
    }
}
