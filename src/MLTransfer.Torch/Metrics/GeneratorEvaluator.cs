using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>Measures how far a generator's images are from real ones, over the features of a network.</summary>
public static class GeneratorEvaluator
{
    /// <summary>The distances of made images to all real ones.</summary>
    /// <param name="generator">Makes images without truncation, with labels of the real ones.</param>
    /// <param name="images">The real images.</param>
    /// <param name="extractor">Decides what counts as a difference.</param>
    /// <param name="count">How many images are made.</param>
    /// <param name="seed">Decides on latent vectors and noise.</param>
    /// <param name="batchSize">Images at a time. With another one, other images are made.</param>
    /// <param name="cancellationToken">Checked before every batch.</param>
    /// <exception cref="ArgumentException">There are too few images, they do not fit the generator, or features are not finite.</exception>
    public static ImageDistances Evaluate(
        StyleGan2Generator generator, ImageSet images, IImageFeatureExtractor extractor, int count = 1_000, long seed = 1,
        int batchSize = 32,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        using var hold = generator.Hold();
        using var real = RealFeatures(images, extractor, generator.Device, batchSize, cancellationToken);
        return Evaluate(generator, images, real, extractor, count, seed, batchSize, cancellationToken);
    }

    /// <summary>Refuses an extractor that does not fit a generator's images before any long work, by two blank ones.</summary>
    internal static void Check(StyleGan2Generator generator, IImageFeatureExtractor extractor)
    {
        using var hold = generator.Hold();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Features(extractor,
            zeros(
            [2, generator.ImageChannels, generator.ImageResolution, generator.ImageResolution], ScalarType.Float32, generator.Device));
    }

    /// <summary>The features of all real images, [N, width].</summary>
    internal static Tensor RealFeatures(
        ImageSet images, IImageFeatureExtractor extractor, Device device, int batchSize, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(extractor);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        return Collect(
            Enumerable.Range(0, images.Count).Chunk(batchSize), indices => images.Take(indices, device), extractor, cancellationToken);
    }

    internal static ImageDistances Evaluate(
        StyleGan2Generator generator, ImageSet images, Tensor realFeatures, IImageFeatureExtractor extractor, int count, long seed,
        int batchSize,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        using var draws = new RandomDraws(seed, stream: 0);
        using var made = Collect(
            Enumerable.Range(0, count).Chunk(batchSize),
            numbers => generator.Generate(
                draws.Normal([numbers.Length, generator.LatentWidth], generator.Device),
                generator.LabelWidth == 0 ? null : images.TakeLabels(draws.Indices(numbers.Length, images.Count), generator.Device),
                random: draws.Generator).clamp(-1, 1),
            extractor,
            cancellationToken);
        return new ImageDistances(
            FeatureDistances.FrechetDistance(realFeatures, made), FeatureDistances.KernelDistance(realFeatures, made));
    }

    internal static Tensor Collect(
        IEnumerable<int[]> batches, Func<int[], Tensor> images, IImageFeatureExtractor extractor, CancellationToken cancellationToken)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var features = new List<Tensor>();
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var batchScope = NewDisposeScope();
            features.Add(Features(extractor, images(batch)).cpu().MoveToOuterDisposeScope());
        }

        return cat(features, 0).DetachFromDisposeScope();
    }

    private static Tensor Features(IImageFeatureExtractor extractor, Tensor images)
    {
        var (rows, count) = (extractor.Extract(images), images.shape[0]);
        return rows.dim() == 2 && rows.shape[0] == count ? rows : throw new ArgumentException(
            $"The feature extractor gave shape [{string.Join(", ", rows.shape)}] for {count} images; expected [{count}, width].",
            nameof(extractor));
    }
}
