using MLTransfer.Torch.Networks.StyleGan2;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = MLTransfer.Torch.Training.Optimizers.AdamW;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// The four kinds of update of StyleGAN2's training: of each network, by its main loss and by its regularization (arXiv 1912.04958,
/// appendix B).
/// </summary>
internal sealed class AdversarialUpdates : IDisposable
{
    /// <summary>How much of the running mean of path lengths an update replaces.</summary>
    private const double PathLengthShare = 0.01;

    private readonly StyleGan2Generator _generator;
    private readonly StyleGan2Discriminator _discriminator;
    private readonly AdversarialTrainingOptions _options;
    private readonly List<(string Name, Parameter Parameter)> _generatorParameters;
    private readonly List<(string Name, Parameter Parameter)> _discriminatorParameters;

    /// <param name="generator">Is trained, but for what the options freeze.</param>
    /// <param name="discriminator">Is trained, but for what the options freeze.</param>
    /// <param name="options">How.</param>
    public AdversarialUpdates(StyleGan2Generator generator, StyleGan2Discriminator discriminator, AdversarialTrainingOptions options)
    {
        (_generator, _discriminator, _options) = (generator, discriminator, options);
        _generatorParameters = [.. FrozenBlocks.TrainableParameters(generator, options)];
        _discriminatorParameters = [.. FrozenBlocks.TrainableParameters(discriminator, options)];
        GeneratorPlayer = CreatePlayer("generator", _generatorParameters, options.PathLengthInterval);
        DiscriminatorPlayer = CreatePlayer("discriminator", _discriminatorParameters, options.GradientPenaltyInterval);
        Step = new TrainingStep(0, [], options.LearningRate, options, exchange: null, CancellationToken.None);
        foreach (var parameter in generator.parameters().Concat(discriminator.parameters()))
            parameter.requires_grad = false; // but during an update of its network
    }

    public Player GeneratorPlayer { get; }

    public Player DiscriminatorPlayer { get; }

    /// <summary>What the updates belong to; at first a step without a run.</summary>
    public TrainingStep Step { get; set; }

    /// <summary>The running mean of path lengths, which path length regularization pulls towards.</summary>
    public double PathLengthMean { get; set; }

    /// <summary>How much of a step's mean loss this process's images make.</summary>
    private double Share => (double)_options.BatchSize / _options.ImagesPerStep;

    /// <summary>The weight of the R1 penalty.</summary>
    private double Gamma => _options.GradientPenaltyWeight
        ?? 0.0002 * _discriminator.ImageResolution * _discriminator.ImageResolution / _options.ImagesPerStep;

    /// <summary>An update of the generator by the non-saturating loss.</summary>
    /// <param name="labels">[N, width]; null where there are none.</param>
    /// <param name="draws">Latent vectors, noise and augmentations.</param>
    /// <param name="augmentation">The probability of augmentations.</param>
    /// <returns>The loss.</returns>
    public double UpdateGenerator(Tensor? labels, TrainingDraws draws, double augmentation)
    {
        using var scope = NewDisposeScope();
        using var training = Enable(_generatorParameters);
        var styles = Styles(_options.BatchSize, labels, draws, updatesAverage: true);
        var images = Augment(_generator.Synthesize(styles, NoiseMode.Random, draws.Generator), draws, augmentation);
        var loss = AdversarialLosses.TakenForReal(_discriminator.Forward(images, labels));
        (loss * Share).backward();
        return Step.Update(GeneratorPlayer, loss.item<float>() * Share, "generator loss").Loss;
    }

    /// <summary>An update of the generator by path length regularization, times its interval.</summary>
    /// <returns>The mean path length.</returns>
    public double RegularizeGenerator(Tensor? labels, TrainingDraws draws)
    {
        using var scope = NewDisposeScope();
        using var training = Enable(_generatorParameters);
        var count = Math.Max(1, _options.BatchSize / 2);
        var styles = Styles(count, labels?.narrow(0, 0, count), draws, updatesAverage: false);
        if (!styles.requires_grad)
            styles.requires_grad_(true); // a frozen mapping network
        var images = _generator.Synthesize(styles, NoiseMode.Random, draws.Generator);
        var lengths = AdversarialLosses.PathLengths(images, styles, draws.Normal(images.shape, images.device)); // [N]
        var mean = MeanOverRanks(lengths.mean().item<float>());
        var target = PathLengthMean + PathLengthShare * (mean - PathLengthMean);
        ((lengths - target).square().mean() * (_options.PathLengthWeight * _options.PathLengthInterval * Share)).backward();
        Step.Update(GeneratorPlayer, mean * Share, "path length loss");
        PathLengthMean = target;
        return mean;
    }

    /// <summary>An update of the discriminator by its loss on made and real images.</summary>
    /// <param name="real">[N, C, R, R].</param>
    /// <param name="realLabels">[N, width]; null where there are none.</param>
    /// <param name="labels">Of the images that are made.</param>
    /// <param name="draws">Latent vectors, noise and augmentations.</param>
    /// <param name="augmentation">The probability of augmentations.</param>
    /// <returns>The loss, and the mean sign of the logits of real images.</returns>
    public (double Loss, double RealSign) UpdateDiscriminator(
        Tensor real, Tensor? realLabels, Tensor? labels, TrainingDraws draws, double augmentation)
    {
        using var scope = NewDisposeScope();
        Tensor made, shown;
        using (no_grad())
        {
            var styles = Styles(_options.BatchSize, labels, draws, updatesAverage: false);
            made = Augment(_generator.Synthesize(styles, NoiseMode.Random, draws.Generator), draws, augmentation);
            shown = Augment(real, draws, augmentation);
        }

        using var training = Enable(_discriminatorParameters);
        var madeLoss = AdversarialLosses.TakenForMade(_discriminator.Forward(made, labels));
        (madeLoss * Share).backward(); // at once, so that the two graphs are not held together
        var realLogits = _discriminator.Forward(shown, realLabels);
        var realLoss = AdversarialLosses.TakenForReal(realLogits);
        (realLoss * Share).backward();
        var loss = Step.Update(
            DiscriminatorPlayer, (madeLoss.item<float>() + realLoss.item<float>()) * Share, "discriminator loss").Loss;
        return (loss, MeanOverRanks(realLogits.detach().sign().mean().item<float>()));
    }

    /// <summary>
    /// An update of the discriminator by the R1 penalty, times its interval. The gradient is by the images before augmentation.
    /// </summary>
    /// <returns>The mean squared norm of the gradient.</returns>
    public double RegularizeDiscriminator(Tensor real, Tensor? realLabels, TrainingDraws draws, double augmentation)
    {
        using var scope = NewDisposeScope();
        using var training = Enable(_discriminatorParameters);
        var penalty = AdversarialLosses.GradientPenalty(_discriminator, real, realLabels, images => Augment(images, draws, augmentation));
        (penalty * (Gamma / 2 * _options.GradientPenaltyInterval * Share)).backward();
        return Step.Update(DiscriminatorPlayer, penalty.item<float>() * Share, "gradient penalty loss").Loss;
    }

    public void Dispose()
    {
        GeneratorPlayer.Dispose();
        DiscriminatorPlayer.Dispose();
        foreach (var parameter in _generator.parameters().Concat(_discriminator.parameters()))
        {
            parameter.requires_grad = true;
            parameter.grad = null;
        }
    }

    /// <summary>
    /// Adam with beta1 0 and beta2 0.99. Regularization adds an update to every <paramref name="interval"/>, for which the rates are
    /// corrected (arXiv 1912.04958, appendix B).
    /// </summary>
    private static Player CreatePlayer(string name, IEnumerable<(string Name, Parameter Parameter)> parameters, int interval)
    {
        var correction = interval > 0 ? interval / (interval + 1.0) : 1;
        var optimizer = new AdamW(
            parameters.Select(p => (p.Name, p.Parameter, Decays: false)), beta1: 0, beta2: Math.Pow(0.99, correction), epsilon: 1e-8);
        return new Player(name, optimizer) { LearningRateFactor = correction };
    }

    private double MeanOverRanks(double mean)
    {
        double[] sum = [mean * Share];
        Step.Sum(sum);
        return sum[0];
    }

    /// <summary>The mean of w [width] over all ranks.</summary>
    private Tensor MeanOverRanks(Tensor mean)
    {
        if (Share == 1)
            return mean;
        var values = mean.to(ScalarType.Float64).cpu().data<double>().ToArray();
        for (var i = 0; i < values.Length; i++)
            values[i] *= Share;
        Step.Sum(values);
        return tensor(values).to(mean.dtype).to(mean.device);
    }

    private Tensor Augment(Tensor images, TrainingDraws draws, double probability) =>
        draws.Augment(images, _options.Augmentations, probability);

    /// <summary>w of random latent vectors, [N, styles, width], some of two vectors each.</summary>
    private Tensor Styles(int count, Tensor? labels, TrainingDraws draws, bool updatesAverage)
    {
        using var scope = NewDisposeScope();
        var styles = _generator.Map(draws.Normal([count, _generator.LatentWidth], _generator.Device), labels);
        if (updatesAverage && !_options.FreezeMapping)
            _generator.Mapping.UpdateAverage(MeanOverRanks(styles.select(1, 0).detach().mean([0])));
        if (draws.Happens(_options.StyleMixingProbability))
        {
            var crossover = draws.Next(1, _generator.StyleCount);
            var others = _generator.Map(draws.Normal([count, _generator.LatentWidth], _generator.Device), labels);
            styles = cat([styles.narrow(1, 0, crossover), others.narrow(1, crossover, _generator.StyleCount - crossover)], 1);
        }

        return styles.MoveToOuterDisposeScope();
    }

    private static GradientSwitch Enable(List<(string Name, Parameter Parameter)> parameters) => new(parameters);

    /// <summary>Lets parameters take gradients until it is disposed.</summary>
    private readonly struct GradientSwitch : IDisposable
    {
        private readonly List<(string Name, Parameter Parameter)> _parameters;

        public GradientSwitch(List<(string Name, Parameter Parameter)> parameters)
        {
            _parameters = parameters;
            foreach (var (_, parameter) in parameters)
                parameter.requires_grad = true;
        }

        public void Dispose()
        {
            foreach (var (_, parameter) in _parameters)
                parameter.requires_grad = false;
        }
    }
}
