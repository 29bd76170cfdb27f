using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Training.Optimizers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Training.Images;

/// <summary>Updates of a discrete VAE: the evidence lower bound of arXiv 2102.12092, section 2.1.</summary>
/// <remarks>B: batch, V: codewords, h, w: places of a picture.</remarks>
internal sealed class DiscreteVaeUpdates : IDisposable
{
    private readonly DiscreteVaeModel _model;
    private readonly DiscreteVaeLayout _layout;
    private readonly ReconstructionLoss _distance;
    private readonly CodewordRelaxation _relaxation;

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">The network has no scale for the loss that is asked for.</exception>
    public DiscreteVaeUpdates(DiscreteVaeModel model, DiscreteVaeTrainingOptions options)
    {
        (_model, _layout) = (model, model.Layout);
        _distance = DistanceOf(model, options);
        _relaxation = options.Relaxation ?? _layout.Objective switch
        {
            { StraightThrough: true, SecondOrder: true } => CodewordRelaxation.ReinMax,
            { StraightThrough: true } => CodewordRelaxation.StraightThrough,
            _ => CodewordRelaxation.Soft,
        };
        Player = new Player("", OptimizerFactory.Create(options, TrainedParameter.OfLayers(model.TrainableParameters())))
        {
            MaximumGradientNorm = options.MaximumGradientNorm,
        };
    }

    public Player Player { get; }

    /// <summary>The distance that a model is trained by.</summary>
    /// <exception cref="ArgumentException">The network has no scale for it.</exception>
    public static ReconstructionLoss DistanceOf(DiscreteVaeModel model, DiscreteVaeTrainingOptions options)
    {
        var distance = options.ReconstructionLoss ?? (model.Layout.Objective.SmoothL1 ? ReconstructionLoss.SmoothL1
            : model.Layout.HasScale ? ReconstructionLoss.LogitLaplace : ReconstructionLoss.MeanSquared);
        return distance != ReconstructionLoss.LogitLaplace || model.Layout.HasScale ? distance : throw new ArgumentException(
            $"{nameof(options.ReconstructionLoss)} is {distance}, which needs a decoder that tells a scale for each value; dalle-pytorch's "
            + $"networks have none. Use {ReconstructionLoss.MeanSquared} or {ReconstructionLoss.SmoothL1}.", nameof(options));
    }

    /// <summary>An update.</summary>
    /// <param name="step">The step.</param>
    /// <param name="temperature">Of the relaxation.</param>
    /// <param name="klWeight">Of the divergence.</param>
    /// <param name="draw">Gives a pass its pictures, [B, 3, H, W] in [0, 1], and noise of the shape of their logits.</param>
    public DiscreteVaeStepLosses Run(
        TrainingStep step, double temperature, double klWeight, Func<TrainingPass, (Tensor Images, Tensor Noise)> draw)
    {
        var (reconstruction, divergence) = (0.0, 0.0);
        using var scope = NewDisposeScope();
        var uses = zeros(_model.CodebookSize, dtype: ScalarType.Int64, device: _model.Device);
        var update = step.Update(Player, [step.Rows.Length], pass =>
        {
            var (images, noise) = draw(pass);
            var share = pass.Rows.Length / pass.Normalizers[0];
            var input = _layout.Normalize(images);
            var logits = _layout.Logits(input);
            using (no_grad())
                uses.add_(logits.argmax(1).flatten().bincount(null, _model.CodebookSize));
            var weights = CodewordDraw.Weights(logits, noise, temperature, _relaxation);
            var distance = Distance(_layout.Decode(weights), input);
            var kl = Divergence(logits);
            // a mean counts by the share of rows, a sum is added up over passes
            var (part, factor) = _layout.SumsDivergence
                ? (1.0, klWeight) : (share, klWeight * logits[0, 0].numel() / input[0].numel());
            (distance * share + kl * (part * factor)).backward();
            var (distanceValue, klValue) = ((double)distance.item<float>(), (double)kl.item<float>());
            reconstruction += share * distanceValue;
            divergence += part * klValue;
            return share * distanceValue + part * factor * klValue;
        });
        double[] figures = [reconstruction, divergence];
        step.Sum(figures);
        uses = CodebookUse.Sum(uses, counts => step.Sum(counts));
        return new DiscreteVaeStepLosses(update, figures[0], figures[1], CodebookUse.Perplexity(uses), CodebookUse.Share(uses));
    }

    /// <summary>The distance of a decoder's output to pictures as <see cref="DiscreteVaeLayout.Normalize"/> gives them: a mean over all
    /// values.</summary>
    public Tensor Distance(Tensor output, Tensor input)
    {
        using var scope = NewDisposeScope();
        var distance = _distance switch
        {
            ReconstructionLoss.LogitLaplace => LogitLaplace(output, input),
            ReconstructionLoss.MeanSquared => (_layout.Prediction(output) - input).square().mean(),
            _ => F.smooth_l1_loss(_layout.Prediction(output), input),
        };
        return distance.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Player.Dispose();

    /// <summary>Minus the logarithm of the density of logits of the input, which lie in a Laplace distribution.</summary>
    private static Tensor LogitLaplace(Tensor output, Tensor input)
    {
        var (mean, logScale) = (output.narrow(1, 0, 3), output.narrow(1, 3, 3));
        var (log, logRest) = (input.log(), (1 - input).log());
        return ((log - logRest - mean).abs() * (-logScale).exp() + logScale + Math.Log(2) + log + logRest).mean();
    }

    /// <summary>Of the codewords' probabilities, without noise, from even ones.</summary>
    private Tensor Divergence(Tensor logits)
    {
        using var scope = NewDisposeScope();
        var logs = logits.log_softmax(1);
        var ofPlaces = (logs.exp() * (logs + Math.Log(_model.CodebookSize))).sum(1); // [B, h, w]
        return (_layout.SumsDivergence ? ofPlaces.sum() : ofPlaces.mean()).MoveToOuterDisposeScope();
    }
}

/// <summary>What an update of a discrete VAE tells.</summary>
/// <param name="Update">The whole loss, the gradient's norm and the rate.</param>
/// <param name="Reconstruction">The distance of pictures.</param>
/// <param name="Divergence">From even use of codewords.</param>
/// <param name="Perplexity">Of the likeliest codes.</param>
/// <param name="UsedShare">The share of codewords among the likeliest codes.</param>
internal sealed record DiscreteVaeStepLosses(
    UpdateResult Update, double Reconstruction, double Divergence, double Perplexity, double UsedShare);
