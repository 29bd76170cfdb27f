using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// Trains a StyleGAN2 on few images, starting from a pretrained one (arXiv 1912.04958 with the augmentation of arXiv 2006.06676).
/// </summary>
/// <remarks>
/// The same seed, images, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed: all
/// randomness of a step comes from the seed and the step's number alone.
/// </remarks>
public sealed class StyleGan2Trainer
{
    private const string StartFile = "start-weights.safetensors";
    private const string TrainedGeneratorFile = "trained-generator.safetensors";
    private const string OptimizerFile = "optimizer.safetensors";
    private const string SamplePrefix = "samples-";

    private static readonly string[] s_irrelevantOptions =
    [
        nameof(AdversarialTrainingOptions.OutputDirectory), nameof(AdversarialTrainingOptions.Resume),
        nameof(AdversarialTrainingOptions.SampleImages), nameof(AdversarialTrainingOptions.SampleCount),
        nameof(AdversarialTrainingOptions.CheckpointImages), nameof(AdversarialTrainingOptions.CheckpointLimit),
        nameof(AdversarialTrainingOptions.EvaluationImages), nameof(AdversarialTrainingOptions.EvaluationCount),
    ];

    private readonly StyleGan2Model _model;
    private readonly AdversarialTrainingOptions _options;
    private readonly TrainingImages _images;
    private readonly IImageFeatureExtractor? _extractor;
    private readonly int _totalSteps;

    /// <summary>Checks options and images.</summary>
    /// <param name="model">Both networks are trained. The generator becomes the running mean of the one that is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="images">Of the model's resolution and channels, with labels where the model takes them.</param>
    /// <param name="extractor">Measures distances to the real images while training and at the end; null for no such metrics.</param>
    /// <exception cref="ArgumentException">An option or the images are not usable; the message says why.</exception>
    public StyleGan2Trainer(
        StyleGan2Model model, AdversarialTrainingOptions options, TrainingImages images, IImageFeatureExtractor? extractor = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(images);
        options.Check();
        FrozenBlocks.Check(model, options);
        var generator = model.Generator;
        if (images.Resolution != generator.ImageResolution || images.Channels != generator.ImageChannels)
        {
            throw new ArgumentException($"The images have {images.Channels} channels and {images.Resolution}x{images.Resolution} pixels; "
                + $"the model makes {generator.ImageChannels} channels and {generator.ImageResolution}x{generator.ImageResolution}. Resize the images.", nameof(images));
        }

        if (images.LabelWidth != generator.LabelWidth)
        {
            throw new ArgumentException(
                $"The images' labels have width {images.LabelWidth}; the model takes {generator.LabelWidth} (0 is for none).", nameof(images));
        }

        var group = Math.Min(model.Discriminator.GroupSize, options.BatchSize);
        if (options.BatchSize % group != 0)
        {
            throw new ArgumentException(
                $"{nameof(options.BatchSize)} is {options.BatchSize}; expected a multiple of {group}, the images that the discriminator compares.", nameof(options));
        }

        if (extractor is null && options.EvaluationImages > 0)
            throw new ArgumentException($"{nameof(options.EvaluationImages)} needs a feature extractor.", nameof(extractor));
        if (extractor is not null)
            GeneratorEvaluator.Check(generator, extractor);
        var steps = (options.TotalImages + options.BatchSize - 1) / options.BatchSize;
        if (steps > int.MaxValue)
            throw new ArgumentException($"{nameof(options.TotalImages)} of {options.TotalImages} takes more than {int.MaxValue} steps.", nameof(options));
        (_model, _options, _images, _extractor, _totalSteps) = (model, options, images, extractor, (int)steps);
        Precision = options.Precision.ComputeType(generator.Device) is null ? Precision.Float32 : Precision.BFloat16;
    }

    /// <summary>
    /// The number format of features: what <see cref="AdversarialTrainingOptions.Precision"/> says or, for <see cref="Precision.Auto"/>, what it comes to here.
    /// </summary>
    public Precision Precision { get; }

    /// <summary>Runs the training.</summary>
    /// <param name="progress">Told after every step, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every step. On cancellation, and when <paramref name="progress"/> throws, model and files are as after the last checkpoint, or,
    /// where there is none, as at the start; sample grids stay.
    /// </param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">
    /// A loss or gradient became NaN or infinite. The model has the weights of the last checkpoint before, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other images, options or another model.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public StyleGan2TrainingResult Train(IProgress<StyleGan2Progress>? progress = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested(); // before anything of an earlier run is deleted
        var workFolder = _options.OutputDirectory ?? Path.Combine(Path.GetTempPath(), $"mltransfer-{Guid.NewGuid():N}");
        var startFile = Path.Combine(workFolder, StartFile);
        var clock = Stopwatch.StartNew();
        var history = new List<StyleGan2Progress>();
        using var trained = _model.Generator.Clone();
        using var updates = new AdversarialUpdates(trained, _model.Discriminator, _options);
        var augmentation = new AugmentationControl(_options);
        StyleGan2State? reached = null; // null until the run has begun
        var hasResult = false;
        try
        {
            Directory.CreateDirectory(workFolder);
            SafetensorsWriter.Write(startFile, ModelTensors());
            trained.ComputeType = _model.Discriminator.ComputeType = Precision == Precision.BFloat16 ? ScalarType.BFloat16 : null;
            var state = reached = Begin(trained, updates, augmentation);
            using var log = new MetricsLog<StyleGan2Progress>(_options.OutputDirectory, state.Step);
            using var realFeatures = _extractor is null ? null
                : GeneratorEvaluator.RealFeatures(_images, _extractor, trained.Device, _options.BatchSize, cancellationToken);
            if (state.Step == 0)
                WriteSamples(0);
            ImageDistances? distances = null;
            var firstStep = state.Step;

            while (state.Step < _totalSteps)
            {
                cancellationToken.ThrowIfCancellationRequested();
                StyleGan2Progress report;
                (state, report) = RunStep(state, trained, updates, augmentation);
                reached = state;
                var isLast = state.Step == _totalSteps;
                if (realFeatures is not null && (isLast || Passes(state.Step, _options.EvaluationImages)))
                {
                    distances = GeneratorEvaluator.Evaluate(_model.Generator, _images, realFeatures, _extractor!, _options.EvaluationCount,
                        _options.Seed, _options.BatchSize, cancellationToken);
                }
                else
                {
                    distances = null;
                }

                var elapsed = clock.Elapsed;
                report = report with
                {
                    FrechetDistance = distances?.FrechetDistance,
                    KernelDistance = distances?.KernelDistance,
                    ImagesPerSecond = (double)(state.Step - firstStep) * _options.BatchSize / elapsed.TotalSeconds,
                    Elapsed = elapsed,
                    Remaining = elapsed * ((double)(_totalSteps - state.Step) / (state.Step - firstStep)),
                };
                history.Add(report);
                log.Write(report);
                progress?.Report(report);

                if (_options.SampleImages > 0 && (isLast || Passes(state.Step, _options.SampleImages)))
                    WriteSamples(state.Step);
                if (_options.CheckpointImages > 0 && (isLast || Passes(state.Step, _options.CheckpointImages)))
                    WriteCheckpoint(state, trained, updates);
            }

            if (distances is null && realFeatures is not null) // a finished run was resumed
            {
                distances = GeneratorEvaluator.Evaluate(_model.Generator, _images, realFeatures, _extractor!, _options.EvaluationCount,
                    _options.Seed, _options.BatchSize, cancellationToken);
            }

            hasResult = true;
            if (_options.OutputDirectory is not null)
                Plot(workFolder, [.. log.Earlier, .. history]);
            return new StyleGan2TrainingResult
            {
                Steps = state.Step,
                Images = (long)state.Step * _options.BatchSize,
                FrechetDistance = distances?.FrechetDistance,
                KernelDistance = distances?.KernelDistance,
                History = history,
                Elapsed = clock.Elapsed,
            };
        }
        catch (Exception exception) when (!hasResult) // the trained weights stay, even if they cannot be plotted
        {
            try
            {
                GoBack(workFolder, startFile, reached, exception is TrainingDivergedException);
            }
            catch (Exception second)
            {
                throw new AggregateException("Training failed, and so did going back to the last good weights: do not use the model.", exception, second);
            }

            throw;
        }
        finally
        {
            _model.Discriminator.ComputeType = null;
            if (_options.OutputDirectory is null && Directory.Exists(workFolder))
                Directory.Delete(workFolder, recursive: true);
            else if (Directory.Exists(workFolder))
                File.Delete(startFile);
        }
    }

    private static void Plot(string folder, IReadOnlyList<StyleGan2Progress> history) => LossPlot.Write(
        folder,
        "Loss",
        new LossCurve("generator", history.Where(p => p.GeneratorLoss is not null).Select(p => (p.Step, p.GeneratorLoss!.Value))),
        new LossCurve("discriminator", history.Where(p => p.DiscriminatorLoss is not null).Select(p => (p.Step, p.DiscriminatorLoss!.Value))));

    /// <summary>Whether a step is the first to have shown a multiple of some images.</summary>
    private bool Passes(int step, long images) =>
        images > 0 && (long)step * _options.BatchSize / images > (long)(step - 1) * _options.BatchSize / images;

    private (StyleGan2State State, StyleGan2Progress Report) RunStep(
        StyleGan2State state, StyleGan2Generator trained, AdversarialUpdates updates, AugmentationControl augmentation)
    {
        using var scope = NewDisposeScope();
        using var draws = new TrainingDraws(_options.Seed, state.Step, trained.Device);
        var step = state.Step + 1;
        double generatorLoss, discriminatorLoss, realSign;
        double? pathLength = null, penalty = null;
        try
        {
            var probability = augmentation.Probability;
            generatorLoss = updates.UpdateGenerator(RandomLabels(draws, trained.Device), draws, probability);
            if (_options.PathLengthInterval > 0 && state.Step % _options.PathLengthInterval == 0)
                pathLength = updates.RegularizeGenerator(RandomLabels(draws, trained.Device), draws);

            var indices = ImagesOfStep(state.Step);
            var (real, realLabels) = (Mirrored(_images.Take(indices, trained.Device), draws), _images.TakeLabels(indices, trained.Device));
            (discriminatorLoss, realSign) = updates.UpdateDiscriminator(real, realLabels, RandomLabels(draws, trained.Device), draws, probability);
            if (_options.GradientPenaltyInterval > 0 && state.Step % _options.GradientPenaltyInterval == 0)
                penalty = updates.RegularizeDiscriminator(real, realLabels, draws, probability);
        }
        catch (NotFiniteNumberException fault)
        {
            throw new TrainingDivergedException(step, fault.Message);
        }

        UpdateAverage(trained, (long)step * _options.BatchSize);
        augmentation.Observe(realSign);
        state = state with
        {
            Step = step,
            PathLengthMean = updates.PathLengthMean,
            GeneratorUpdates = updates.GeneratorOptimizer.StepCount,
            DiscriminatorUpdates = updates.DiscriminatorOptimizer.StepCount,
            Augmentation = augmentation.Current,
        };
        return (state, new StyleGan2Progress
        {
            Step = step,
            TotalSteps = _totalSteps,
            Images = (long)step * _options.BatchSize,
            GeneratorLoss = generatorLoss,
            DiscriminatorLoss = discriminatorLoss,
            GradientPenalty = penalty,
            PathLength = pathLength,
            RealLogitSign = augmentation.RealLogitSign,
            AugmentationProbability = augmentation.Probability,
        });
    }

    /// <summary>A batch out of all images in an order that every pass through them has of its own.</summary>
    private int[] ImagesOfStep(int step)
    {
        var indices = new int[_options.BatchSize];
        var (pass, order) = (-1L, Array.Empty<int>());
        for (var i = 0; i < indices.Length; i++)
        {
            var place = (long)step * indices.Length + i;
            if (place / _images.Count != pass)
            {
                pass = place / _images.Count;
                order = new SplitMix64(SplitMix64.Mix((ulong)_options.Seed, 2, (ulong)pass)).Permutation(_images.Count);
            }

            indices[i] = order[place % _images.Count];
        }

        return indices;
    }

    private Tensor Mirrored(Tensor images, TrainingDraws draws)
    {
        if (!_options.MirrorImages)
            return images;
        var mirrors = Enumerable.Range(0, (int)images.shape[0]).Select(_ => draws.Happens(0.5)).ToArray();
        return where(tensor(mirrors, device: images.device).view(-1, 1, 1, 1), images.flip(3), images);
    }

    private Tensor? RandomLabels(TrainingDraws draws, Device device) =>
        _images.LabelWidth == 0 ? null : _images.TakeLabels(draws.Indices(_options.BatchSize, _images.Count), device);

    /// <summary>Moves the model's generator towards the trained one (arXiv 1710.10196, section 6).</summary>
    private void UpdateAverage(StyleGan2Generator trained, long images)
    {
        var halfLife = _options.AverageRampUp > 0 ? Math.Min(_options.AverageHalfLife, images * _options.AverageRampUp) : _options.AverageHalfLife;
        var stays = halfLife > 0 ? Math.Pow(0.5, _options.BatchSize / halfLife) : 0;
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (average, source) in _model.Generator.named_parameters().Zip(trained.named_parameters()))
            average.parameter.mul_(stays).add_(source.parameter, alpha: 1 - stays);
        _model.Generator.Mapping.Average?.copy_(trained.Mapping.Average!);
    }

    private StyleGan2State Begin(StyleGan2Generator trained, AdversarialUpdates updates, AugmentationControl augmentation)
    {
        if (_options.OutputDirectory is not { } folder)
            return new StyleGan2State { Fingerprint = "" };

        var fingerprint = _options.Resume || _options.CheckpointImages > 0 ? Fingerprint() : "";
        CheckpointFolder.DeleteAbandoned(folder);
        if (_options.Resume && CheckpointFolder.Newest(folder) is { } newest)
            return Resume(newest, fingerprint, trained, updates, augmentation);

        CheckpointFolder.DeleteAll(folder); // of an earlier run: a later resume must not mix the two
        File.Delete(Path.Combine(folder, LossPlot.FileName));
        foreach (var samples in Directory.EnumerateFiles(folder, SamplePrefix + "*.png").ToList())
            File.Delete(samples);
        return new StyleGan2State { Fingerprint = fingerprint };
    }

    private void WriteCheckpoint(StyleGan2State state, StyleGan2Generator trained, AdversarialUpdates updates) =>
        CheckpointFolder.Write(_options.OutputDirectory!, state, _options.CheckpointLimit, inside =>
        {
            _model.Save(inside);
            SafetensorsWriter.Write(Path.Combine(inside, TrainedGeneratorFile), StyleGan2Model.CheckpointTensors(trained));
            SafetensorsWriter.Write(Path.Combine(inside, OptimizerFile), OptimizerTensors(updates));
        });

    private StyleGan2State Resume(
        CheckpointFolder checkpoint, string fingerprint, StyleGan2Generator trained, AdversarialUpdates updates, AugmentationControl augmentation) =>
        checkpoint.Resume<StyleGan2State>(fingerprint, state =>
        {
            if (state.Augmentation is null)
                throw new InvalidDataException($"{CheckpointFolder.StateFile} does not tell the augmentation probability.");
            using var trainedWeights = SafetensorsFile.Open(Path.Combine(checkpoint.Folder, TrainedGeneratorFile));
            using var optimizers = SafetensorsFile.Open(Path.Combine(checkpoint.Folder, OptimizerFile));
            WeightSnapshot.Check(StyleGan2Model.CheckpointTensors(trained), trainedWeights);
            WeightSnapshot.Check(OptimizerTensors(updates), optimizers);
            RestoreModel(checkpoint.Folder);
            WeightSnapshot.CopyInto(StyleGan2Model.CheckpointTensors(trained), trainedWeights);
            WeightSnapshot.CopyInto(OptimizerTensors(updates), optimizers);
            (updates.GeneratorOptimizer.StepCount, updates.DiscriminatorOptimizer.StepCount) = (state.GeneratorUpdates, state.DiscriminatorUpdates);
            updates.PathLengthMean = state.PathLengthMean;
            augmentation.Restore(state.Augmentation);
        });

    private void RestoreModel(string folder)
    {
        using var generator = SafetensorsFile.Open(Path.Combine(folder, StyleGan2Model.GeneratorFile));
        using var discriminator = SafetensorsFile.Open(Path.Combine(folder, StyleGan2Model.DiscriminatorFile));
        WeightSnapshot.Check(StyleGan2Model.CheckpointTensors(_model.Discriminator), discriminator);
        WeightSnapshot.CopyInto(StyleGan2Model.CheckpointTensors(_model.Generator), generator);
        WeightSnapshot.CopyInto(StyleGan2Model.CheckpointTensors(_model.Discriminator), discriminator);
    }

    /// <summary>Brings the model, and after anything but divergence the files, back to the last state that is known to be good.</summary>
    private void GoBack(string workFolder, string startFile, StyleGan2State? reached, bool diverged)
    {
        // What diverges now is computed with the weights of the last step done: a checkpoint of them is no good either.
        var checkpoint = reached is null || _options.OutputDirectory is null ? null
            : CheckpointFolder.Newest(workFolder, diverged ? reached.Step - 1 : reached.Step);
        if (checkpoint is not null)
            RestoreModel(checkpoint.Folder);
        else if (File.Exists(startFile))
        {
            using var start = SafetensorsFile.Open(startFile);
            WeightSnapshot.CopyInto(ModelTensors(), start);
        }

        if (reached is not null && !diverged && _options.OutputDirectory is not null)
            MetricsLog<StyleGan2Progress>.GoBackTo(workFolder, checkpoint?.Step);
    }

    /// <summary>A grid of the model's images for latent vectors that stay the same over the run.</summary>
    private void WriteSamples(int step)
    {
        if (_options.SampleImages == 0)
            return;
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var draws = new TrainingDraws(_options.Seed, step: -1, _model.Generator.Device);
        var made = new List<Tensor>();
        foreach (var part in Enumerable.Range(0, _options.SampleCount).Chunk(_options.BatchSize))
        {
            var labels = _images.LabelWidth == 0 ? null : _images.TakeLabels(draws.Indices(part.Length, _images.Count), _model.Generator.Device);
            var latents = draws.Normal([part.Length, _model.Generator.LatentWidth], _model.Generator.Device);
            made.Add(_model.Generator.Generate(latents, labels, noise: NoiseMode.Constant));
        }

        var name = SamplePrefix + ((long)step * _options.BatchSize).ToString("D7", CultureInfo.InvariantCulture) + ".png";
        var columns = (int)Math.Ceiling(Math.Sqrt(2.0 * _options.SampleCount));
        var grid = cat(made, 0);
        if (_model.Generator.ImageChannels is 1 or 3)
            ImageGrid.Write(Path.Combine(_options.OutputDirectory!, name), grid, columns);
    }

    private IEnumerable<KeyValuePair<string, Tensor>> ModelTensors() =>
        Prefixed("generator", StyleGan2Model.CheckpointTensors(_model.Generator))
            .Concat(Prefixed("discriminator", StyleGan2Model.CheckpointTensors(_model.Discriminator)));

    private static IEnumerable<KeyValuePair<string, Tensor>> OptimizerTensors(AdversarialUpdates updates) =>
        Prefixed("generator", updates.GeneratorOptimizer.State).Concat(Prefixed("discriminator", updates.DiscriminatorOptimizer.State));

    private static IEnumerable<KeyValuePair<string, Tensor>> Prefixed(string prefix, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        tensors.Select(t => KeyValuePair.Create($"{prefix}.{t.Key}", t.Value));

    /// <summary>A hash of what makes the run's result, but for weights: a checkpoint brings all of them back.</summary>
    private string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var settings = JsonSerializer.SerializeToNode(_options)!.AsObject();
        foreach (var name in s_irrelevantOptions)
            settings.Remove(name);
        var sizes = string.Join(',', _images.Count, _images.Channels, _images.Resolution, _images.LabelWidth);
        foreach (var text in (string[])[settings.ToJsonString(), _model.Configuration.ToJsonString(), sizes])
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes(bytes.Length)); // where one text ends
            hash.AppendData(bytes);
        }

        RunFingerprint.Values(hash, _images.Pixels);
        if (_images.Labels is { } labels)
            RunFingerprint.Values(hash, labels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
