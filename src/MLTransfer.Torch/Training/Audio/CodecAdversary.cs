using MLTransfer.Torch.Networks.Codecs.EnCodec;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>Discriminators that a codec is trained against, and the losses of both.</summary>
internal sealed class CodecAdversary : IDisposable
{
    private readonly SpectrogramDiscriminators _discriminators;
    private readonly CodecAdversarialLoss _loss;

    public CodecAdversary(int channels, CodecDiscriminatorOptions options, long seed, Device device)
    {
        _discriminators = new SpectrogramDiscriminators(channels, options.Windows, options.Filters, seed, device);
        _loss = options.Loss;
        foreach (var parameter in _discriminators.parameters())
            parameter.requires_grad = false; // but while they are updated
    }

    public IEnumerable<(string Name, Parameter Parameter)> Parameters => _discriminators.named_parameters();

    /// <summary>What discriminators make small, of sounds [B, channels, samples], times a share; its gradients go to their
    /// parameters.</summary>
    public double Judge(Tensor real, Tensor decoded, double share)
    {
        using var scope = NewDisposeScope();
        foreach (var parameter in _discriminators.parameters())
            parameter.requires_grad = true;
        try
        {
            var losses = _discriminators.Forward(real).Zip(_discriminators.Forward(decoded), (r, d) => _loss switch
            {
                CodecAdversarialLoss.Hinge => (1 - r.Logits).relu().mean() + (1 + d.Logits).relu().mean(),
                _ => (1 - r.Logits).square().mean() + d.Logits.square().mean(),
            });
            var loss = Mean(losses) * share;
            loss.backward(); // here, since parameters that take no gradients any more would get none
            return loss.item<float>();
        }
        finally
        {
            foreach (var parameter in _discriminators.parameters())
                parameter.requires_grad = false;
        }
    }

    /// <summary>
    /// How far decoded sounds are from being taken for real, and how far apart discriminators' features of both are, relative to their
    /// size.
    /// </summary>
    public (Tensor Adversarial, Tensor Feature) Resist(Tensor real, Tensor decoded)
    {
        using var scope = NewDisposeScope();
        IReadOnlyList<(Tensor Logits, IReadOnlyList<Tensor> Features)> ofReal;
        using (no_grad())
            ofReal = _discriminators.Forward(real);
        var ofDecoded = _discriminators.Forward(decoded);
        var adversarial = ofDecoded.Select(d => _loss == CodecAdversarialLoss.Hinge
            ? (1 - d.Logits).relu().mean() : (1 - d.Logits).square().mean());
        var features = ofReal.Zip(ofDecoded).SelectMany(pair => pair.First.Features.Zip(pair.Second.Features, (r, d) =>
            (r - d).abs().mean() / r.abs().mean().clamp_min(1e-8)));
        return (Mean(adversarial).MoveToOuterDisposeScope(), Mean(features).MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose() => _discriminators.Dispose();

    private static Tensor Mean(IEnumerable<Tensor> losses) => stack(losses).mean();
}
