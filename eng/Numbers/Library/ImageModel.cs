using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Optimizers;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Library;

/// <summary>A StyleGAN2: generator and discriminator.</summary>
internal sealed class ImageModel : IDisposable
{
    private readonly StyleGan2Model _model;

    private ImageModel(StyleGan2Model model) => _model = model;

    public static ImageModel Load(string folder) => new(StyleGan2Model.Load(folder));

    /// <summary>Random weights for 16x16 pixels.</summary>
    public static ImageModel Create(int labels = 0, double? clamp = null)
    {
        manual_seed(11);
        var configuration = StyleGan2Model.Configure(
            16, channelBase: 128, channelMaximum: 16, latentWidth: 16, mappingLayers: 2, labelWidth: labels);
        if (clamp is not null)
            configuration["generator"]!["synthesis_kwargs"]!["conv_clamp"] = clamp;
        var model = StyleGan2Model.Create(configuration);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, value) in StyleGan2Model.CheckpointTensors(model.Generator))
        {
            if (name.EndsWith("noise_strength", StringComparison.Ordinal))
                value.fill_(0.3); // new ones add no noise
            else if (name.EndsWith("w_avg", StringComparison.Ordinal))
                value.copy_(arange(value.numel(), ScalarType.Float32) * 0.02 - 0.1);
        }

        return new(model);
    }

    public int LatentWidth => _model.Generator.LatentWidth;

    public int StyleCount => _model.Generator.StyleCount;

    public IEnumerable<(string Name, Tensor Tensor)> GeneratorWeights =>
        StyleGan2Model.CheckpointTensors(_model.Generator).Select(t => (t.Key, t.Value));

    public IEnumerable<(string Name, Tensor Tensor)> DiscriminatorWeights =>
        StyleGan2Model.CheckpointTensors(_model.Discriminator).Select(t => (t.Key, t.Value));

    /// <summary>The type of features (internal).</summary>
    public void SetFeatureType(ScalarType? type) => (_model.Generator.ComputeType, _model.Discriminator.ComputeType) = (type, type);

    public Tensor Map(Tensor latents, Tensor? labels = null, double truncation = 1, int? cutoff = null) =>
        _model.Generator.Map(latents, labels, truncation, cutoff);

    public Tensor Synthesize(Tensor styles, string noise) => _model.Generator.Synthesize(styles, Enum.Parse<NoiseMode>(noise));

    public Tensor Generate(Tensor latents, Tensor? labels = null, double truncation = 1, string noise = "Constant",
        Generator? random = null) =>
        _model.Generator.Generate(latents, labels, truncation, Enum.Parse<NoiseMode>(noise), random);

    public Tensor Judge(Tensor images, Tensor? labels = null) => _model.Discriminator.Forward(images, labels);

    public Tensor Features(Tensor images) => _model.Discriminator.Features(images);

    public void Save(string folder) => _model.Save(folder);

    /// <summary>The Frechet and the kernel distance to images, over the discriminator's features.</summary>
    public double[] Distances(Tensor pixels, Tensor? labels, int count)
    {
        using var images = new ImageSet(pixels, labels);
        var distances = GeneratorEvaluator.Evaluate(
            _model.Generator, images, new DiscriminatorFeatureExtractor(_model.Discriminator), count, batchSize: 4);
        return [distances.FrechetDistance, distances.KernelDistance];
    }

    /// <summary>
    /// Generator loss, discriminator loss, R1 penalty, path length, sign of real logits, augmentation probability and both distances of
    /// each step; null where cancelled.
    /// </summary>
    public IReadOnlyList<double[]>? Train(ImageTraining settings, Tensor pixels, Tensor? labels = null, int? cancelAt = null)
    {
        using var images = new ImageSet(pixels, labels);
        using var cancellation = new CancellationTokenSource();
        var options = new AdversarialTrainingOptions
        {
            TotalImages = settings.TotalImages,
            BatchSize = settings.BatchSize,
            LearningRate = settings.LearningRate,
            MirrorImages = settings.Mirror,
            GradientPenaltyWeight = settings.GradientPenaltyWeight,
            GradientPenaltyInterval = settings.GradientPenaltyInterval,
            PathLengthInterval = settings.PathLengthInterval,
            StyleMixingProbability = settings.StyleMixing,
            AverageHalfLife = settings.AverageHalfLife,
            AverageRampUp = settings.AverageRampUp,
            Augmentations = Enum.Parse<AugmentationGroups>(settings.Augmentations),
            AugmentationProbability = settings.AugmentationProbability,
            AugmentationRampImages = settings.AugmentationRampImages,
            FrozenDiscriminatorBlocks = settings.FrozenDiscriminatorBlocks,
            FrozenSynthesisBlocks = settings.FrozenSynthesisBlocks,
            FreezeMapping = settings.FreezeMapping,
            Precision = Enum.Parse<Precision>(settings.Precision),
            Seed = settings.Seed,
            OutputDirectory = settings.Folder,
            SampleImages = settings.SampleImages,
            SampleCount = 5,
            EvaluationImages = settings.EvaluationImages,
            EvaluationCount = 8,
            CheckpointImages = settings.CheckpointImages,
            Resume = settings.Resume,
        };
        var progress = new Told<StyleGan2Progress>(report =>
        {
            if (report.Step == cancelAt)
                cancellation.Cancel();
        });
        using var judge = settings.EvaluationImages > 0 ? Create() : null;
        try
        {
            var extractor = judge is null ? null : new DiscriminatorFeatureExtractor(judge._model.Discriminator);
            var result = new StyleGan2Trainer(_model, options, images, extractor).Train(progress, cancellation.Token);
            return [.. result.History.Select(step => (double[])[
                step.GeneratorLoss ?? double.NaN, step.DiscriminatorLoss ?? double.NaN, step.GradientPenalty ?? double.NaN,
                step.PathLength ?? double.NaN,
                step.RealLogitSign ?? double.NaN, step.AugmentationProbability, step.FrechetDistance ?? double.NaN,
                step.KernelDistance ?? double.NaN])];
        }
        catch (OperationCanceledException) when (cancelAt is not null)
        {
            return null;
        }
    }

    /// <summary>
    /// The updates of both networks that the reference logged: losses and optimizer are the library's (internal), their order is here.
    /// </summary>
    /// <returns>Generator loss, losses of made and of real images, and R1 penalty of each step.</returns>
    public IReadOnlyList<double[]> TrainAsTheReference(
        int steps, int batch, double gamma, double beta1, double beta2, double epsilon, double learningRate, Tensor real,
        Tensor generatorLatents, Tensor discriminatorLatents)
    {
        using var generatorOptimizer = Optimizer(_model.Generator);
        using var discriminatorOptimizer = Optimizer(_model.Discriminator);
        var log = new List<double[]>();
        for (var step = 0; step < steps; step++)
        {
            using var scope = NewDisposeScope();
            var images = _model.Generator.Generate(generatorLatents[step], noise: NoiseMode.Constant);
            var generatorLoss = AdversarialLosses.TakenForReal(_model.Discriminator.Forward(images));
            generatorLoss.backward();
            discriminatorOptimizer.ClearGradients();
            Step(generatorOptimizer);

            using (no_grad())
                images = _model.Generator.Generate(discriminatorLatents[step], noise: NoiseMode.Constant);
            var realImages = real.narrow(0, step * batch, batch);
            var madeLoss = AdversarialLosses.TakenForMade(_model.Discriminator.Forward(images));
            var realLoss = AdversarialLosses.TakenForReal(_model.Discriminator.Forward(realImages));
            var penalty = AdversarialLosses.GradientPenalty(_model.Discriminator, realImages);
            (madeLoss + realLoss + penalty * (gamma / 2)).backward();
            Step(discriminatorOptimizer);
            log.Add([generatorLoss.item<float>(), madeLoss.item<float>(), realLoss.item<float>(), penalty.item<float>()]);
        }

        return log;

        AdamW Optimizer(nn.Module network) =>
            new(network.named_parameters().Select(p => (p.name, p.parameter, Decays: false)), beta1, beta2, epsilon);

        void Step(AdamW optimizer)
        {
            optimizer.Step(learningRate, weightDecay: 0, gradientFactor: 1);
            optimizer.ClearGradients();
        }
    }

    public void ExportToOnnx(string path, string noise) => ImageGeneratorExporter.Export(_model, path, Enum.Parse<NoiseMode>(noise));

    public void Dispose() => _model.Dispose();
}
