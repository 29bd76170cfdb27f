using MLTransfer.Torch.Networks.StyleGan2;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>
/// How near generated images come to training images, and how near these come to each other (nearest neighbours as in Meehan et al. 2020,
/// "A Non-Parametric Test to Detect Data-Copying in Generative Models", arXiv 2004.05675). Distances are Euclidean, between features.
/// </summary>
/// <param name="Images">For each generated image its nearest training image.</param>
/// <param name="TrainingDistances">For each training image the distance to the nearest other one.</param>
public sealed record NearestImages(IReadOnlyList<NearestImage> Images, IReadOnlyList<double> TrainingDistances)
{
    private const int RowsAtOnce = 256;

    /// <summary>The share of the training images, those nearest to another one, that <see cref="CloseShare"/> compares with.</summary>
    public const double CloseQuantile = 0.05;

    /// <summary>The median distance of a generated image to the nearest training image.</summary>
    public double MedianDistance => Quantile(Images.Select(image => image.Distance), 0.5);

    /// <summary>The median distance of a training image to the nearest other one.</summary>
    public double MedianTrainingDistance => Quantile(TrainingDistances, 0.5);

    /// <summary>
    /// The share of generated images that lie nearer to a training image than 95 % of the training images lie to another one. About 0.05
    /// where generated images are as different as training images are among each other; near 1 where the training images are repeated.
    /// </summary>
    public double CloseShare
    {
        get
        {
            var close = Quantile(TrainingDistances, CloseQuantile);
            return (double)Images.Count(image => image.Distance <= close) / Images.Count;
        }
    }

    /// <summary>Makes images and finds the nearest training image of each.</summary>
    /// <param name="generator">Makes images without truncation and with constant noise, with labels of the training images.</param>
    /// <param name="training">The training images, two or more.</param>
    /// <param name="seeds">
    /// A seed s stands for the latent vector that <c>torch.randn(1, width)</c> draws after <c>torch.manual_seed(s)</c>.
    /// </param>
    /// <param name="extractor">Decides what counts as a difference; null for the pixels, -1 for black and 1 for white.</param>
    /// <param name="batchSize">Images at a time.</param>
    /// <param name="cancellationToken">Checked before every batch.</param>
    /// <exception cref="ArgumentException">
    /// There are too few images, they do not fit the generator, or features are not finite.
    /// </exception>
    public static NearestImages Find(
        StyleGan2Generator generator, ImageSet training, IReadOnlyList<long> seeds, IImageFeatureExtractor? extractor = null,
        int batchSize = 32, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(seeds);
        if (training.Count < 2 || seeds.Count == 0)
        {
            throw new ArgumentException(
                $"There are {training.Count} training images and {seeds.Count} seeds; expected two images and one seed at least.");
        }

        extractor ??= new DelegateFeatureExtractor(images => images.flatten(1));
        GeneratorEvaluator.Check(generator, extractor);
        using var real = GeneratorEvaluator.RealFeatures(training, extractor, generator.Device, batchSize, cancellationToken);
        using var made = GeneratorEvaluator.Collect(
            Enumerable.Range(0, seeds.Count).Chunk(batchSize),
            numbers => generator.Generate(
                SeedLatents.Create(numbers.Select(number => seeds[number]), generator.LatentWidth).to(generator.Device),
                generator.LabelWidth == 0
                    ? null
                    : training.TakeLabels([.. numbers.Select(number => number % training.Count)], generator.Device),
                noise: NoiseMode.Constant).clamp(-1, 1),
            extractor, cancellationToken);
        return Find(made, real, seeds, cancellationToken);
    }

    /// <summary>The same for features: [generated, width] and [training, width], on the CPU.</summary>
    internal static NearestImages Find(Tensor made, Tensor real, IReadOnlyList<long> seeds, CancellationToken cancellationToken)
    {
        if (!AllFinite(made) || !AllFinite(real))
            throw new ArgumentException("A feature is NaN or infinite.");
        var images = Nearest(made, real, isSame: false, cancellationToken);
        var training = Nearest(real, real, isSame: true, cancellationToken);
        return new NearestImages(
            [.. images.Select((nearest, i) => new NearestImage(seeds[i], nearest.Row, nearest.Distance))],
            [.. training.Select(nearest => nearest.Distance)]);

        static bool AllFinite(Tensor features)
        {
            using var scope = NewDisposeScope();
            return features.isfinite().all().item<bool>();
        }
    }

    /// <summary>For each row the nearest one of others; of the same rows, itself left out.</summary>
    private static List<(int Row, double Distance)> Nearest(
        Tensor rows, Tensor others, bool isSame, CancellationToken cancellationToken)
    {
        using var gradients = no_grad();
        using var outer = NewDisposeScope();
        var all = others.to(ScalarType.Float64);
        var found = new List<(int Row, double Distance)>();
        for (var start = 0L; start < rows.shape[0]; start += RowsAtOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var some = rows.narrow(0, start, Math.Min(RowsAtOnce, rows.shape[0] - start)).to(ScalarType.Float64);
            // |x - y|^2 of all pairs: [some, others]
            var squares = some.square().sum(1, keepdim: true) + all.square().sum(1).unsqueeze(0) - 2 * mm(some, all.t());
            if (isSame)
                squares.diagonal(start).fill_(double.PositiveInfinity);
            var nearest = squares.argmin(1);
            var distances = (some - all.index_select(0, nearest)).square().sum(1).sqrt(); // without what cancels out above
            found.AddRange(nearest.data<long>().Zip(distances.data<double>(), (row, distance) => ((int)row, distance)));
        }

        return found;
    }

    /// <summary>The value below which so much of the values lies; between two of them in a straight line.</summary>
    private static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToList();
        var place = share * (sorted.Count - 1);
        var lower = (int)place;
        return sorted[lower] + (sorted[Math.Min(lower + 1, sorted.Count - 1)] - sorted[lower]) * (place - lower);
    }
}
