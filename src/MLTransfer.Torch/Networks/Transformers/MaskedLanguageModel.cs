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

    /// <summary>What <see cref="ComputeHiddenStates(ModelInput)"/> gives at some positions, with the head's transform of those
    /// alone.</summary>
    /// <param name="input">What is read.</param>
    /// <param name="positions">[count] int64, of the flattened [batch * length].</param>
    /// <returns>[count, width].</returns>
    internal Tensor ComputeHiddenStates(ModelInput input, Tensor positions)
    {
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var hidden = Encoder!.Forward(input, training);
        return Head.Features(hidden.view(-1, hidden.shape[2]).index_select(0, positions)).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of every position: [batch, length, vocabulary].</summary>
    /// <exception cref="InvalidOperationException">The network has no output head.</exception>
    public Tensor Forward(ModelInput input)
    {
        using var hold = Hold();
        using var hiddenStates = ComputeHiddenStates(input);
        return ComputeLogits(hiddenStates);
    }
}
