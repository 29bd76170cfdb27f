using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>The normalizing flow between the latent variables of sounds and those of the prior; it keeps volume.</summary>
internal sealed class LatentFlow : NamedModule
{
    private readonly List<CouplingLayer> _layers = [];

    public LatentFlow(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(LatentFlow))
    {
        for (var i = 0; i < c.Flows; i++)
        {
            var layer = new CouplingLayer(weights.Scope($"flows.{i}"), c, dropout);
            ModuleNode.Add(this, $"flows.{i}", layer);
            _layers.Add(layer);
        }
    }

    public IReadOnlyList<CouplingLayer> Layers => _layers;

    /// <summary>From sound to prior: [N, latent width, T] to the same shape.</summary>
    public Tensor Forward(Tensor latents, Tensor mask, Tensor? speaker)
    {
        using var scope = NewDisposeScope();
        foreach (var layer in _layers)
            latents = layer.Forward(latents, mask, speaker, isReverse: false).flip(1);
        return latents.MoveToOuterDisposeScope();
    }

    /// <summary>From prior to sound.</summary>
    public Tensor Reverse(Tensor latents, Tensor mask, Tensor? speaker)
    {
        using var scope = NewDisposeScope();
        foreach (var layer in _layers.AsEnumerable().Reverse())
            latents = layer.Forward(latents.flip(1), mask, speaker, isReverse: true);
        return latents.MoveToOuterDisposeScope();
    }
}
