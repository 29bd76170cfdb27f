using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// What a run does to train a StyleGAN2: two players, the generator and the discriminator. The model's generator is the running mean of the
/// one that is trained. A saved run is the model's folder with the trained generator beside it.
/// </summary>
internal sealed class StyleGan2Task : TrainingTask<StyleGan2Progress>
{
    private const string TrainedGeneratorFile = "trained-generator.safetensors";
    private const string SamplePrefix = "samples-";

    private readonly StyleGan2Model _model;
    private readonly AdversarialTrainingOptions _options;
    private readonly ImageSet _images;
    private readonly IImageFeatureExtractor? _extractor;
    private readonly ScalarType? _computeType;
    private readonly StyleGan2Generator _trained;
    private readonly AdversarialUpdates _updates;
    private readonly AugmentationControl _augmentation;
    private Tensor? _realFeatures;

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="images">The real ones.</param>
    /// <param name="extractor">For distances to the real images; null for none.</param>
    /// <param name="computeType">The type of features; null for that of the weights.</param>
    public StyleGan2Task(
        StyleGan2Model model, AdversarialTrainingOptions options, ImageSet images, IImageFeatureExtractor? extractor,
        ScalarType? computeType)
    {
        (_model, _options, _images, _extractor, _computeType) = (model, options, images, extractor, computeType);
        _trained = model.Generator.Clone();
        _updates = new AdversarialUpdates(_trained, model.Discriminator, options);
        _augmentation = new AugmentationControl(options);
    }

    /// <summary>Of the weights after the last step to the real images; null where they were not measured.</summary>
    public ImageDistances? Distances { get; private set; }

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights =>
        Prefixed("generator", _model.Generator).Concat(Prefixed("discriminator", _model.Discriminator));

    public override IEnumerable<KeyValuePair<string, Tensor>> RestoredWeights => Weights.Concat(Prefixed("trained", _trained));

    public override IReadOnlyList<Player> Players => [_updates.GeneratorPlayer, _updates.DiscriminatorPlayer];

    public override JsonNode? State => JsonSerializer.SerializeToNode(new StyleGan2State(_updates.PathLengthMean, _augmentation.Current));

    /// <summary>Weights are left out: a saved run brings all of them back.</summary>
    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddText(_model.Configuration.ToJsonString());
        fingerprint.AddFrozen("images", _images.Pixels);
        if (_images.Labels is { } labels)
            fingerprint.AddFrozen("labels", labels);
        return fingerprint.Value;
    }

    public override void Begin() => _trained.ComputeType = _model.Discriminator.ComputeType = _computeType;

    public override void Prepare(string folder, int step, CancellationToken cancellationToken)
    {
        if (_extractor is not null)
            _realFeatures = GeneratorEvaluator.RealFeatures(_images, _extractor, _trained.Device, _options.BatchSize, cancellationToken);
    }

    public override StyleGan2Progress ReportAfter(int step) => new()
    {
        Step = step, Images = (long)step * _options.ImagesPerStep, AugmentationProbability = _augmentation.Probability,
    };

    public override StyleGan2Progress RunStep(TrainingStep step)
    {
        using var scope = NewDisposeScope();
        using var draws = new TrainingDraws(Ranks.SeedOf(_options.Seed), step.Index);
        double? pathLength = null, penalty = null;
        Distances = null;
        _updates.Step = step;
        var probability = _augmentation.Probability;
        var generatorLoss = _updates.UpdateGenerator(RandomLabels(draws), draws, probability);
        if (_options.PathLengthInterval > 0 && step.Index % _options.PathLengthInterval == 0)
            pathLength = _updates.RegularizeGenerator(RandomLabels(draws), draws);

        var (real, realLabels) =
            (Mirrored(_images.Take(step.OwnRows, _trained.Device), draws), _images.TakeLabels(step.OwnRows, _trained.Device));
        var (discriminatorLoss, realSign) = _updates.UpdateDiscriminator(real, realLabels, RandomLabels(draws), draws, probability);
        if (_options.GradientPenaltyInterval > 0 && step.Index % _options.GradientPenaltyInterval == 0)
            penalty = _updates.RegularizeDiscriminator(real, realLabels, draws, probability);

        var images = (step.Index + 1L) * _options.ImagesPerStep;
        UpdateAverage(images);
        _augmentation.Observe(realSign);
        return new StyleGan2Progress
        {
            Step = step.Index + 1,
            Images = images,
            GeneratorLoss = generatorLoss,
            DiscriminatorLoss = discriminatorLoss,
            GradientPenalty = penalty,
            PathLength = pathLength,
            RealLogitSign = _augmentation.RealLogitSign,
            AugmentationProbability = _augmentation.Probability,
        };
    }

    public override long AmountOf(int[] rows) => rows.Length;

    public override StyleGan2Progress Evaluate(StyleGan2Progress report, CancellationToken cancellationToken)
    {
        Measure(cancellationToken);
        return report with { FrechetDistance = Distances?.FrechetDistance, KernelDistance = Distances?.KernelDistance };
    }

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        using var gradients = no_grad();
        var answers = new List<SampleAnswer>();
        if (_options.SampleImages > 0 && WriteSamples(step) is { } path)
        {
            answers.Add(new MediaAnswer($"{_options.SampleCount} samples", MediaAnswer.Picture, File.ReadAllBytes(path))
            {
                File = Path.GetFileName(path),
            });
        }

        var generator = _model.Generator;
        foreach (var (index, seed) in _options.SampleSeeds.Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var row = (int)((long)index * _images.Count / _options.SampleSeeds.Count);
            var label = _images.LabelWidth == 0 ? null : _images.TakeLabels([row], generator.Device);
            var latents = SeedLatents.Create([seed], generator.LatentWidth).to(generator.Device);
            var picture = generator.Generate(latents, label, noise: NoiseMode.Constant)[0].cpu(); // [channels, R, R]
            var pixels = ((picture.clamp(-1, 1) + 1) * 127.5).round().to(ScalarType.Byte).permute(1, 2, 0);
            answers.Add(new MediaAnswer($"seed {seed}", MediaAnswer.Picture, PngPicture.Encode(pixels)));
        }

        return answers;
    }

    public override void Complete(CancellationToken cancellationToken)
    {
        if (Distances is null && _realFeatures is not null) // a finished run was resumed
            Measure(cancellationToken);
    }

    public override void Save(string folder)
    {
        _model.Save(folder);
        SafetensorsWriter.Write(Path.Combine(folder, TrainedGeneratorFile), StyleGan2Model.CheckpointTensors(_trained));
    }

    public override void Restore(string folder)
    {
        using var generator = SafetensorsFile.Open(Path.Combine(folder, StyleGan2Model.GeneratorFile));
        using var discriminator = SafetensorsFile.Open(Path.Combine(folder, StyleGan2Model.DiscriminatorFile));
        using var trained = SafetensorsFile.Open(Path.Combine(folder, TrainedGeneratorFile));
        WeightSnapshot.Check(StyleGan2Model.CheckpointTensors(_trained), trained);
        WeightSnapshot.Check(StyleGan2Model.CheckpointTensors(_model.Discriminator), discriminator);
        WeightSnapshot.CopyInto(StyleGan2Model.CheckpointTensors(_model.Generator), generator);
        WeightSnapshot.CopyInto(StyleGan2Model.CheckpointTensors(_model.Discriminator), discriminator);
        WeightSnapshot.CopyInto(StyleGan2Model.CheckpointTensors(_trained), trained);
    }

    public override void RestoreState(JsonNode? state)
    {
        if (state.Deserialize<StyleGan2State>() is not { Augmentation: { } augmentation } restored)
            throw new InvalidDataException($"{SavedRun.StateFile} does not tell the augmentation probability.");
        _updates.PathLengthMean = restored.PathLengthMean;
        _augmentation.Restore(augmentation);
    }

    public override void DeleteFiles(string folder)
    {
        foreach (var samples in Directory.EnumerateFiles(folder, SamplePrefix + "*.png").ToList())
            File.Delete(samples);
    }

    public override IEnumerable<LossCurve> Curves(IReadOnlyList<StyleGan2Progress> history) =>
    [
        new("generator", history.Where(p => p.GeneratorLoss is not null).Select(p => (p.Step, p.GeneratorLoss!.Value))),
        new("discriminator", history.Where(p => p.DiscriminatorLoss is not null).Select(p => (p.Step, p.DiscriminatorLoss!.Value))),
    ];

    public override void End()
    {
        _model.Discriminator.ComputeType = null;
        _realFeatures?.Dispose();
    }

    public override void Dispose()
    {
        _updates.Dispose();
        _trained.Dispose();
    }

    private void Measure(CancellationToken cancellationToken) => Distances = GeneratorEvaluator.Evaluate(
        _model.Generator, _images, _realFeatures!, _extractor!, _options.EvaluationCount, _options.Seed, _options.BatchSize,
        cancellationToken);

    private Tensor Mirrored(Tensor images, TrainingDraws draws)
    {
        if (!_options.MirrorImages)
            return images;
        var mirrors = Enumerable.Range(0, (int)images.shape[0]).Select(_ => draws.Happens(0.5)).ToArray();
        return where(tensor(mirrors, device: images.device).view(-1, 1, 1, 1), images.flip(3), images);
    }

    private Tensor? RandomLabels(TrainingDraws draws) =>
        _images.LabelWidth == 0 ? null : _images.TakeLabels(draws.Indices(_options.BatchSize, _images.Count), _trained.Device);

    /// <summary>Moves the model's generator towards the trained one (arXiv 1710.10196, section 6).</summary>
    private void UpdateAverage(long images)
    {
        var halfLife = _options.AverageRampUp > 0
            ? Math.Min(_options.AverageHalfLife, images * _options.AverageRampUp)
            : _options.AverageHalfLife;
        var stays = halfLife > 0 ? Math.Pow(0.5, _options.ImagesPerStep / halfLife) : 0;
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (average, source) in _model.Generator.named_parameters().Zip(_trained.named_parameters()))
            average.parameter.mul_(stays).add_(source.parameter, alpha: 1 - stays);
        _model.Generator.Mapping.Average?.copy_(_trained.Mapping.Average!);
    }

    /// <summary>A grid of the model's images for latent vectors that stay the same over the run.</summary>
    /// <returns>The file; null for images of other than 1 or 3 channels.</returns>
    private string? WriteSamples(int step)
    {
        if (_model.Generator.ImageChannels is not (1 or 3))
            return null;
        using var scope = NewDisposeScope();
        using var draws = new TrainingDraws(_options.Seed, step: -1);
        var made = new List<Tensor>();
        foreach (var part in Enumerable.Range(0, _options.SampleCount).Chunk(_options.BatchSize))
        {
            var labels = _images.LabelWidth == 0
                ? null
                : _images.TakeLabels(draws.Indices(part.Length, _images.Count), _model.Generator.Device);
            var latents = draws.Normal([part.Length, _model.Generator.LatentWidth], _model.Generator.Device);
            made.Add(_model.Generator.Generate(latents, labels, noise: NoiseMode.Constant));
        }

        var name = SamplePrefix + ((long)step * _options.ImagesPerStep).ToString("D7", CultureInfo.InvariantCulture) + ".png";
        var columns = (int)Math.Ceiling(Math.Sqrt(2.0 * _options.SampleCount));
        var path = Path.Combine(_options.OutputDirectory!, name);
        ImageGrid.Write(path, cat(made, 0), columns);
        return path;
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Prefixed(string prefix, nn.Module network) =>
        StyleGan2Model.CheckpointTensors(network).Select(t => KeyValuePair.Create($"{prefix}.{t.Key}", t.Value));
}
