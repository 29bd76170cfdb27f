using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Optimizers;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>
/// Finds the latent vectors from which a StyleGAN2 makes given pictures (arXiv 1912.04958, appendix D; W+: arXiv 1904.03189).
/// </summary>
/// <remarks>
/// Nothing of a picture depends on those beside it, so that they may be projected together or one by one. The generator stays as it is; a
/// conditional one is projected into as well, since its styles need no label.
/// </remarks>
/// <param name="generator">Stays the caller's.</param>
/// <param name="options">Null for defaults.</param>
/// <param name="extractor">
/// The network whose features tell how pictures look; its gradient is followed, so it must be computed by libtorch. A distance is the sum
/// of the squared differences of a row's features. Null for pixels alone. Stays the caller's.
/// </param>
public sealed class StyleGan2Projector(
    StyleGan2Generator generator, ProjectionOptions? options = null, IImageFeatureExtractor? extractor = null)
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    private readonly ProjectionOptions _options = options ?? new ProjectionOptions();
    private readonly Lock _lock = new();
    private StyleStatistics? _statistics;

    /// <summary>Projects pictures.</summary>
    /// <param name="pictures">[N, channels, R, R] of the generator's size: -1 is black and 1 white.</param>
    /// <param name="progress">Told after every step, on this thread; null for nobody.</param>
    /// <param name="cancellationToken">Checked before every step.</param>
    /// <exception cref="ArgumentException">An option is out of range, pictures have another shape, or features have another or no
    /// gradient.</exception>
    /// <exception cref="InvalidOperationException">A loss is not finite.</exception>
    public ProjectionResult Project(
        Tensor pictures, IProgress<ProjectionProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Project(pictures, new ProjectionDraws(_options.Seed), progress, cancellationToken);

    /// <summary>Refuses options that are out of range or do not go together, before any long work.</summary>
    /// <exception cref="ArgumentException">There is such an option; the message names it.</exception>
    internal static void Check(ProjectionOptions options, IImageFeatureExtractor? extractor)
    {
        options.Check();
        if (options.PixelWeight == 0 && (extractor is null || options.FeatureWeight == 0))
        {
            throw new ArgumentException(
                $"Nothing tells how far an image is from a picture: {nameof(ProjectionOptions.PixelWeight)} is 0 and there is no network "
                + "of features that counts.");
        }
    }

    /// <summary>The same with draws of another origin, which are those of every call on this object.</summary>
    internal ProjectionResult Project(
        Tensor pictures, ProjectionDraws draws, IProgress<ProjectionProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(pictures);
        Check(_options, extractor);
        Check(pictures);
        using var hold = generator.Hold();
        using var scope = NewDisposeScope();
        var targets = pictures.to(ScalarType.Float32, generator.Device);
        using var loss = new ProjectionLoss(targets, extractor, _options);
        var statistics = Statistics(draws);
        var (count, rows) = (targets.shape[0], _options.Space == LatentSpace.W ? 1 : generator.StyleCount);
        var latents = new Parameter(
            tensor(statistics.Mean, device: generator.Device).expand(count, rows, -1).clone());
        var layers = _options.OptimizesNoise ? generator.NoiseMaps : [];
        var maps = layers.Count == 0
            ? []
            : draws.NoiseMaps(layers).Select(map => new Parameter(map.expand(count, -1, -1, -1).clone())).ToList();
        List<Tensor> variables = [latents, .. maps];
        using var optimizer = new AdamW(
            variables.Select((variable, i) => ($"{i}", (Parameter)variable, false)), Beta1, Beta2, Epsilon);
        var (schedule, noise) = (new ProjectionSchedule(_options), NoiseOf(layers, maps));
        for (var step = 1; step <= _options.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var stepScope = NewDisposeScope();
            var deviation = schedule.Noise(step) * statistics.Deviation;
            var styles = latents + draws.StyleNoise(step, rows, latents.shape[2], generator.Device) * deviation;
            var images = generator.SynthesizeWith(styles.expand(-1, generator.StyleCount, -1), noise);
            var (pixels, features) = loss.Distances(images);
            var regularization = maps.Count == 0
                ? zeros_like(pixels)
                : maps.Select(map => NoiseRegularization.Of(map)).Aggregate((sum, next) => sum + next);
            var losses = loss.Weigh(pixels, features, regularization);
            var gradients = autograd.grad([losses.sum()], variables);
            foreach (var (variable, gradient) in variables.Zip(gradients))
                variable.grad = gradient;
            var report = new ProjectionProgress(
                step, _options.Steps, Mean(losses), Mean(pixels), Mean(features), Mean(regularization),
                Math.Sqrt(gradients[0].square().sum().item<float>()), schedule.LearningRate(step), deviation);
            if (!double.IsFinite(report.Loss) || !double.IsFinite(report.GradientNorm))
            {
                throw new InvalidOperationException(
                    $"Projection diverged at step {step}: the loss is {report.Loss} and the gradient norm {report.GradientNorm}. Lower "
                    + $"{nameof(ProjectionOptions.LearningRate)}.");
            }

            optimizer.Step(report.LearningRate, gradientFactor: 1);
            optimizer.ClearGradients();
            foreach (var map in maps)
                NoiseRegularization.Normalize(map);
            progress?.Report(report);
        }

        return Result(latents, layers, maps, noise, loss);
    }

    private ProjectionResult Result(
        Tensor latents, IReadOnlyList<(string Name, Tensor Map)> layers, List<Parameter> maps, NoiseSource noise, ProjectionLoss loss)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var images = generator.SynthesizeWith(latents.expand(-1, generator.StyleCount, -1), noise);
        var (pixels, _) = loss.Distances(images);
        return new ProjectionResult(
            latents.detach().clone().DetachFromDisposeScope(),
            layers.Zip(maps).ToDictionary(pair => pair.First.Name, pair => pair.Second.detach().clone().DetachFromDisposeScope()),
            images.DetachFromDisposeScope(),
            [.. pixels.cpu().data<float>().Select(distance => (double)distance)]);
    }

    private static NoiseSource NoiseOf(IReadOnlyList<(string Name, Tensor Map)> layers, List<Parameter> maps)
    {
        if (maps.Count == 0)
            return new NoiseSource(NoiseMode.Constant);
        var byLayer = new Dictionary<Tensor, Tensor>(ReferenceEqualityComparer.Instance);
        foreach (var (layer, map) in layers.Zip(maps))
            byLayer.Add(layer.Map, map);
        return new NoiseSource(NoiseMode.Constant) { Maps = byLayer };
    }

    private StyleStatistics Statistics(ProjectionDraws draws)
    {
        lock (_lock)
            return _statistics ??= StyleStatistics.Of(generator, draws, _options.LatentSamples);
    }

    private void Check(Tensor pictures)
    {
        long[] shape = [generator.ImageChannels, generator.ImageResolution, generator.ImageResolution];
        if (pictures.dim() != 4 || pictures.shape[0] == 0 || !pictures.shape.AsSpan(1).SequenceEqual(shape))
        {
            throw new ArgumentException(
                $"Pictures have the shape {TensorShape.Describe(pictures.shape)}; expected [N, {string.Join(", ", shape)}].",
                nameof(pictures));
        }
    }

    private static double Mean(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.mean().item<float>();
    }
}
