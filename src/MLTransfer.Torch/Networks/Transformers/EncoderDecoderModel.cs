using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>An encoder that reads a text, and a decoder that writes another one while it looks at the first.</summary>
public sealed class EncoderDecoderModel : TransformerNetwork
{
    private long _encoderPasses;

    internal EncoderDecoderModel(Family family, JsonObject configuration, Transformer description, WeightSource weights)
        : base(family, configuration, description, weights)
    {
    }

    /// <summary>The token that the decoder begins with: <c>decoder_start_token_id</c> of <c>config.json</c>, else
    /// <c>bos_token_id</c>.</summary>
    /// <exception cref="InvalidDataException">The file names neither.</exception>
    public int DecoderStartTokenId => new ConfiguredTokens(Configuration, VocabularySize).DecoderStartId;

    /// <summary>How often the encoder has read texts.</summary>
    internal long EncoderPasses => Interlocked.Read(ref _encoderPasses);

    /// <summary>Reads texts.</summary>
    /// <param name="input">Ids and, where rows are padded, the mask.</param>
    /// <returns>What the decoder looks at; the caller disposes it.</returns>
    public EncodedText Encode(ModelInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var hold = Hold();
        Interlocked.Increment(ref _encoderPasses);
        return new EncodedText(Encoder!.Forward(input, training), input.AttentionMask);
    }

    /// <inheritdoc/>
    public override Tensor ComputeHiddenStates(ModelInput input) => Decode(input);

    /// <inheritdoc/>
    public override Tensor Forward(ModelInput input)
    {
        using var hold = Hold();
        using var hiddenStates = ComputeHiddenStates(input);
        return ComputeLogits(hiddenStates);
    }
}
