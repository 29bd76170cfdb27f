using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// An encoder's part of a training pass. What the decoder looks at is a leaf of the decoder's graph, so that the encoder's own graph is
/// gone through once, however often the decoder's blocks are computed.
/// </summary>
internal sealed class EncoderPass : IDisposable
{
    private readonly LookedUpRows _embeddings;
    private readonly BlockRecomputation? _recomputation;
    private readonly Tensor _hidden; // [batch, length, width], with the graph behind it

    /// <summary>Reads texts, in the current dispose scope.</summary>
    /// <param name="model">The network.</param>
    /// <param name="input">Ids, and the mask where rows are padded.</param>
    /// <param name="decoder">How the decoder's blocks are computed twice; null for once.</param>
    /// <param name="noise">On embeddings; null for none.</param>
    public EncoderPass(EncoderDecoderModel model, ModelInput input, BlockRecomputation? decoder, EmbeddingNoise? noise)
    {
        _embeddings = LookedUpRows.OfTokens(model.Encoder!.Input, input.InputIds, model.DataType, noise, stream: 1);
        _recomputation = decoder?.Next();
        input = input with { InputEmbeddings = _embeddings.Values, Recomputation = _recomputation };
        _hidden = model.Encoder.Forward(input, model.training);
        Encoded = new EncodedText(_hidden.detach().requires_grad_(_hidden.requires_grad), input.AttentionMask);
    }

    /// <summary>What the decoder looks at.</summary>
    public EncodedText Encoded { get; }

    /// <summary>Takes the gradient that the decoder gave back through the encoder, to the gradients of its parameters.</summary>
    public void Backward()
    {
        if (Encoded.HiddenStates.grad is not { } gradient)
            return;
        autograd.backward(_hidden, gradient);
        _recomputation?.Backward();
        _embeddings.Backward();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Encoded.Dispose();
        _recomputation?.Dispose();
    }
}
