using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>Long short-term memory over time, added to what it reads.</summary>
internal sealed class RecurrentLayer : NamedModule
{
    private readonly LongShortTermMemory _memory;

    /// <param name="weights">Has <c>lstm</c>.</param>
    /// <param name="channels">Feature maps.</param>
    /// <param name="layers">How many layers of memory.</param>
    public RecurrentLayer(WeightScope weights, int channels, int layers)
        : base(nameof(RecurrentLayer))
    {
        register_module("lstm", _memory = new LongShortTermMemory(weights.Scope("lstm"), channels, layers));
    }

    /// <summary>[T, B, channels] to the same shape.</summary>
    public Tensor Forward(Tensor steps)
    {
        using var scope = NewDisposeScope();
        return (_memory.Forward(steps) + steps).MoveToOuterDisposeScope();
    }
}
