using MLTransfer.Making;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Images;
using TextToImage.Scenes;
using static TorchSharp.torch;

namespace MakeScenesModel;

/// <summary>Trains the codec on pictures of any colours and shapes.</summary>
internal sealed class CodecStage(string folder, int seed, TrainingLog log) : IProgress<DiscreteVaeProgress>
{
    private const int Pictures = 20_000;

    /// <summary>The trained codec; where it is there already, that one.</summary>
    /// <param name="steps">Of the training.</param>
    /// <param name="share">Of the pictures, for a trial.</param>
    public DiscreteVaeModel Run(int steps, double share)
    {
        var saved = Path.Combine(folder, "trained");
        if (Directory.Exists(saved))
            return DiscreteVaeModel.Load(saved);
        var codec = DiscreteVaeModel.Create(ModelSizes.Codec(), seed);
        log.Write(
            $"codec: {codec.parameters().Sum(parameter => parameter.numel()):N0} parameters, {codec.CodesPerSide} x {codec.CodesPerSide} "
            + $"codes of {codec.CodebookSize} codewords");
        using var images = new SceneSet((int)Math.Max(256, Pictures * share), seed, SceneComposer.DrawAny).ToImages();
        using var heldOut = new SceneSet((int)Math.Max(32, 256 * share), seed: 1000, SceneComposer.DrawAny).ToImages();
        var result = new DiscreteVaeTrainer(
            codec,
            new DiscreteVaeTrainingOptions
            {
                MaximumSteps = steps,
                BatchSize = 32,
                LearningRate = 2e-3,
                FinalLearningRate = 2e-5,
                WarmupSteps = Math.Min(100, steps / 10),
                TemperatureSteps = Math.Max(1, steps / 2),

                // At first it has all codewords take part; in the end each would be drawn from many that are alike, and even grounds be
                // mottled.
                KlWeightStart = 0.5,
                KlWeightEnd = 0.01,
                KlWeightSteps = Math.Max(1, steps * 2 / 3),
                EvaluationSteps = Math.Max(1, steps / 10),
                SampleImages = 8,
                CheckpointSteps = 200,
                CheckpointLimit = 2,
                OutputDirectory = folder,
                Resume = true,
                Seed = seed,
            },
            images, heldOut).Train(this);
        log.Write(
            $"codec: {result.Steps} steps in {result.Elapsed.TotalMinutes:F1} minutes; held-out loss {result.InitialValidationLoss:F3} to "
            + $"{result.ValidationLoss:F3}");
        var unfinished = Directory.CreateDirectory(saved + ".unfinished").FullName;
        codec.Save(unfinished);
        Directory.Move(unfinished, saved);
        return codec;
    }

    public void Report(DiscreteVaeProgress value)
    {
        if (value.ValidationLoss is { } held)
        {
            log.Write(
                $"codec step {value.Step}: held-out loss {held:F4}, pixel error {value.ValidationPixelError:F5}, codewords used "
                + $"{value.ValidationUsedShare:P0}, perplexity {value.ValidationPerplexity:F0}");
        }
        else if (value.Step % 50 == 0)
        {
            log.Write(
                $"codec step {value.Step}: loss {value.Loss:F4}, reconstruction {value.ReconstructionLoss:F4}, divergence "
                + $"{value.KlDivergence:F3}, temperature {value.Temperature:F2}, perplexity {value.Perplexity:F0}, "
                + $"{value.ImagesPerSecond:F0} pictures/s, {value.Remaining:hh\\:mm\\:ss} left");
        }
    }

    /// <summary>Looks at scenes of a style that went through the codec, and leaves some of them beside what they were.</summary>
    public static void Measure(DiscreteVaeModel codec, string name, SceneStyle style, int count, string folder, TrainingLog log)
    {
        using var scope = NewDisposeScope();
        var random = new Random(77);
        var scenes = Enumerable.Range(0, count).Select(_ => Scene.Draw(style, random)).ToList();
        var real = scenes.Select(scene => SceneComposer.Draw(scene, style, random)).ToList();
        var images = SceneSet.ToTensor(real).to(ScalarType.Float32) / 255;
        var decoded = codec.Decode(codec.Encode(images));
        var seen = SceneSet.ToPictures((decoded * 255).round().to(ScalarType.Byte)).Select(SceneChecker.Check).ToList();
        log.Write($"{count} real scenes of the {name}: {SceneScore.Of(scenes, [.. real.Select(SceneChecker.Check)])}");
        log.Write(
            $"the same through the codec: {SceneScore.Of(scenes, seen)}; pixel error "
            + $"{(decoded - images).square().mean().item<float>():F5}");
        const int columns = 12;
        var rows = images.shape[0] / columns;
        ImageGrid.Write(
            Path.Combine(folder, $"codec-{name}.png"),
            2 * cat(
                [.. Enumerable.Range(0, (int)Math.Min(4, rows)).SelectMany(row => (Tensor[])[
                    images.narrow(0, row * columns, columns), decoded.narrow(0, row * columns, columns)])]) - 1,
            columns);
    }
}
