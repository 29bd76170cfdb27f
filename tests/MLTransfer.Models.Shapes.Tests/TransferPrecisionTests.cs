using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Models.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.StyleGan2;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Models.Tests;

/// <summary>The embedded model learns frames instead of shapes.</summary>
public sealed class TransferPrecisionTests
{
    private const int Size = 32;

    [Fact]
    public void Training_in_bfloat16_reaches_the_distance_that_float32_reaches()
    {
        using var frames = Frames(64);
        // What lies where, in 8 x 8 cells.
        var extractor = new DelegateFeatureExtractor(images => nn.functional.adaptive_avg_pool2d(images.mean([1], keepdim: true), 8).flatten(1));
        using var untrained = StyleGan2Model.Load(ShapesModel.Folder);
        var before = GeneratorEvaluator.Evaluate(untrained.Generator, frames, extractor, count: 256, cancellationToken: TestContext.Current.CancellationToken);
        foreach (var seed in (long[])[1, 2, 3])
        {
            foreach (var precision in (Precision[])[Precision.Float32, Precision.BFloat16])
            {
                var clock = System.Diagnostics.Stopwatch.StartNew();
                var r = Train(precision, seed);
                File.AppendAllText("/tmp/imagesnet-precision.txt", $"{seed} {precision} {before} {r} {clock.Elapsed}" + "\n");
            }
        }

        StyleGan2TrainingResult Train(Precision precision, long seed)
        {
            using var model = StyleGan2Model.Load(ShapesModel.Folder);
            var result = new StyleGan2Trainer(
                model,
                new StyleGan2TrainingOptions
                {
                    TotalImages = 320, EvaluationImages = 80, BatchSize = 8, AverageHalfLife = 40, AverageRampUp = 0, PathLengthInterval = 0, FrozenDiscriminatorBlocks = 1,
                    GradientPenaltyWeight = 0.05, Precision = precision, Seed = seed, EvaluationCount = 256,
                },
                frames, extractor).Train(cancellationToken: TestContext.Current.CancellationToken);
            File.AppendAllText("/tmp/imagesnet-precision.txt", string.Join(" ", result.History.Where(h => h.FrechetDistance > 0).Select(h => $"{h.FrechetDistance:F3}")) + "\n");
            return result;
        }
    }

    /// <summary>Dark frames of several places and colours on white.</summary>
    private static TrainingImages Frames(int count)
    {
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var pixels = full([count, 3, Size, Size], 255, ScalarType.Byte);
        for (var i = 0; i < count; i++)
        {
            var (row, column, side) = (random.Next(4), random.Next(4), random.Next(20, 28));
            for (var channel = 0; channel < 3; channel++)
                pixels[i, channel, row..(row + side), column..(column + side)] = random.Next(120);
            pixels[i, TensorIndex.Colon, (row + 5)..(row + side - 5), (column + 5)..(column + side - 5)] = 255;
        }

        return new TrainingImages(pixels);
    }
}
