using System.Text.Json.Nodes;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>An encoder: every position sees the whole text. With an output head it gives distributions of masked tokens.</summary>
public sealed class MaskedLanguageModel : TransformerNetwork
{
    internal MaskedLanguageModel(Family family, JsonObject configuration, Transformer description, WeightSource weights)
        : base(family, configuration, description, weights)
    {
    }

    /// <inheritdoc/>
    public override Tensor ComputeHiddenStates(ModelInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var hidden = Encoder!.Forward(input, training);
        return (Encoder.Heads is [var head, ..] ? head.Features(hidden) : hidden).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Forward(ModelInput input)
    {
        using var hold = Hold();
        using var hiddenStates = ComputeHiddenStates(input);
        return ComputeLogits(hiddenStates);
    }
}
