using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Training.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// A step of a VITS's training: an update of the discriminator, then one of the network against the updated discriminator (arXiv
/// 2106.06103, section 2.3).
/// </summary>
internal sealed class SpeechUpdates : IDisposable
{
    /// <summary>The purpose of the seeds of a pass's dropout.</summary>
    private const ulong PassSeeds = 4;

    private readonly SpeechTrainingOptions _options;
    private readonly SpeechDiscriminator _discriminator;
    private readonly SpeechSpectra _spectra;
    private readonly VitsModel _network;
    private readonly List<(string Name, Parameter Parameter)> _parameters;
    private readonly List<(string Name, Parameter Parameter)> _discriminatorParameters;

    /// <param name="trained">The network's copy that is trained.</param>
    /// <param name="discriminator">Is trained.</param>
    /// <param name="spectra">Of the network.</param>
    /// <param name="options">How.</param>
    public SpeechUpdates(
        TrainedSpeech trained, SpeechDiscriminator discriminator, SpeechSpectra spectra, SpeechTrainingOptions options)
    {
        (_network, _discriminator, _spectra, _options) = (trained.Network, discriminator, spectra, options);
        _parameters = trained.Parameters;
        _discriminatorParameters = [.. discriminator.named_parameters().Select(p => (p.name, p.parameter))];
        GeneratorPlayer = CreatePlayer("generator", _parameters);
        DiscriminatorPlayer = CreatePlayer("discriminator", _discriminatorParameters);
        SetGradients(_discriminatorParameters, false); // but during its update
    }

    public Player GeneratorPlayer { get; }

    public Player DiscriminatorPlayer { get; }

    /// <summary>Updates both, or before the first adversarial step the network alone.</summary>
    /// <param name="step">The rows, in passes.</param>
    /// <param name="tokens">Of all rows of the step.</param>
    /// <param name="frames">Of all rows of the step.</param>
    /// <param name="read">The rows of a pass, and what is drawn for them.</param>
    public SpeechStepLosses Run(
        TrainingStep step, double tokens, double frames, Func<IReadOnlyList<int>, (SpeechBatch Batch, SpeechNoise Noise)> read)
    {
        using var scope = NewDisposeScope();
        double rows = step.Rows.Length;
        var single = step.OwnRows.Length <= _options.BatchSize;
        SpeechPass? kept = null; // of a step of one pass; of several, each is run again, with the same draws
        var parts = _discriminator.PartCount;
        var losses = new SpeechStepLosses
        {
            Real = new double[parts], Made = new double[parts], IsAdversarial = step.Index >= _options.FirstAdversarialStep,
        };

        if (losses.IsAdversarial)
        {
            SetGradients(_discriminatorParameters, true);
            losses.Discriminator = step.Update(DiscriminatorPlayer, [rows], pass =>
            {
                using var passScope = NewDisposeScope();
                SpeechPass generated;
                if (single)
                {
                    SetGradients(_parameters, true);
                    generated = kept = Forward(pass).MoveToScope(scope);
                }
                else
                {
                    using var gradients = no_grad();
                    generated = Forward(pass);
                }

                var share = pass.Rows.Length / pass.Normalizers[0];
                var rowsOfPass = generated.Real.shape[0];
                var logits = _discriminator.Forward(cat([generated.Real, generated.Made.detach()], 0)).Select(part => part[^1]).ToList();
                var real = SpeechLosses.ToOne(logits.Select(part => part.narrow(0, 0, rowsOfPass)));
                var made = SpeechLosses.ToZero(logits.Select(part => part.narrow(0, rowsOfPass, rowsOfPass)));
                for (var part = 0; part < parts; part++)
                {
                    losses.Real[part] += share * real[part].item<float>();
                    losses.Made[part] += share * made[part].item<float>();
                }

                var loss = SpeechLosses.Sum(real.Concat(made)) * share;
                loss.backward();
                return loss.item<float>();
            }, "discriminator loss");
            SetGradients(_discriminatorParameters, false);
        }

        SetGradients(_parameters, true);
        var generator = step.Update(GeneratorPlayer, [rows, tokens, frames], pass =>
        {
            using var passScope = NewDisposeScope();
            var generated = kept ?? Forward(pass);
            var share = pass.Rows.Length / pass.Normalizers[0];
            Tensor? judged = null;
            if (losses.IsAdversarial)
            {
                IReadOnlyList<IReadOnlyList<Tensor>> real;
                using (no_grad())
                    real = _discriminator.Forward(generated.Real);
                var made = _discriminator.Forward(generated.Made);
                var adversarial =
                    SpeechLosses.Sum(SpeechLosses.ToOne(made.Select(part => part[^1]))) * (share * _options.AdversarialWeight);
                var features = SpeechLosses.Features(real, made) * (share * _options.FeatureWeight);
                losses.Adversarial += adversarial.item<float>();
                losses.Features += features.item<float>();
                judged = adversarial + features;
            }

            var mel = SpeechLosses.Mel(generated, _spectra) * (share * _options.MelWeight);
            var duration = generated.DurationLosses.sum() * (_options.DurationWeight / pass.Normalizers[1]);
            var divergence = generated.Divergence * (_options.DivergenceWeight / pass.Normalizers[2]);
            var loss = (judged is null ? mel : judged + mel) + duration + divergence;
            loss.backward();
            losses.Mel += mel.item<float>();
            losses.Duration += duration.item<float>();
            losses.Divergence += divergence.item<float>();
            return loss.item<float>();
        }, "generator loss");
        SetGradients(_parameters, false);
        losses.Generator = generator;
        losses.Sum(step);
        return losses;

        SpeechPass Forward(TrainingPass pass)
        {
            var (batch, noise) = read(pass.Rows);
            using var dropout = step.SeedDropout(
                _network.DropoutSource, (int)(step.Seed(PassSeeds, (ulong)step.Index, (ulong)pass.Index) & int.MaxValue));
            return SpeechPass.Run(_network, batch, noise, _spectra, _options.SegmentSize / _spectra.Hop);
        }
    }

    public void Dispose()
    {
        GeneratorPlayer.Dispose();
        DiscriminatorPlayer.Dispose();
        foreach (var (_, parameter) in _discriminatorParameters)
        {
            parameter.requires_grad = true;
            parameter.grad = null;
        }
    }

    private Player CreatePlayer(string name, IEnumerable<(string Name, Parameter Parameter)> parameters) => new(
        name, OptimizerFactory.Create(_options, TrainedParameter.OfLayers(parameters)))
    {
        MaximumGradientNorm = _options.MaximumGradientNorm,
    };

    private static void SetGradients(List<(string Name, Parameter Parameter)> parameters, bool takes)
    {
        foreach (var (_, parameter) in parameters)
            parameter.requires_grad = takes;
    }
}
