using System.Text.Json.Nodes;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>An encoder that reads a text, and a decoder that writes another one while it looks at the first.</summary>
public sealed class EncoderDecoderModel : TransformerNetwork
{
    internal EncoderDecoderModel(Family family, JsonObject configuration, Transformer description, WeightSource weights)
        : base(family, configuration, description, weights)
    {
    }

    /// <summary>Reads texts.</summary>
    /// <param name="input">Ids and, where rows are padded, the mask.</param>
    /// <returns>What the decoder looks at; the caller disposes it.</returns>
    public EncodedText Encode(ModelInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var hold = Hold();
        return new EncodedText(Encoder!.Forward(input, training), input.AttentionMask);
    }

    /// <inheritdoc/>
    public override Tensor ComputeHiddenStates(ModelInput input) => Decode(input);

    /// <summary>Logits of every position of the decoder: [batch, length, vocabulary].</summary>
    /// <param name="input">What has been written, and what <see cref="Encode"/> gave for the same rows.</param>
    public Tensor Forward(ModelInput input)
    {
        using var hold = Hold();
        using var hiddenStates = ComputeHiddenStates(input);
        return ComputeLogits(hiddenStates);
    }
}
