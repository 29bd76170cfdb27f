using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>What one forward pass of a language model reads.</summary>
/// <param name="InputIds">[batch, length] int64 token ids; [batch, streams, length] for networks that read several streams of
/// tokens.</param>
public sealed record ModelInput(Tensor InputIds)
{
    /// <summary>[batch, length, width of the table] to read instead of the token embeddings of <see cref="InputIds"/>, which tell the
    /// shape alone then. Null: those.</summary>
    public Tensor? InputEmbeddings { get; init; }

    /// <summary>[batch, past + length], 1 for real tokens and 0 for padding. Null: nothing is padded.</summary>
    public Tensor? AttentionMask { get; init; }

    /// <summary>[batch, length] int64: the segment of each token, in networks that tell segments apart. Null: the first for all.</summary>
    public Tensor? TokenTypeIds { get; init; }

    /// <summary>[batch or 1, length] int64. Null: past, past + 1, ... for every row.</summary>
    public Tensor? PositionIds { get; init; }

    /// <summary>[batch, length] int64: the packed sequence that each token belongs to; tokens see only their own. Null: one sequence a
    /// row.</summary>
    public Tensor? SequenceIds { get; init; }

    /// <summary>For each row the positions of its text, the new ones included, where rotations depend on them; keys in the cache are
    /// turned as that length asks for. Null: those of the pass, padding included.</summary>
    internal int[]? RowLengths { get; init; }

    /// <summary>Where blocks are computed without a graph, to be computed again in the backward pass. Null: an ordinary graph.</summary>
    internal BlockRecomputation? Recomputation { get; init; }

    /// <summary>What an encoder gave for the same rows, for networks that look at it. Null: there is no encoder.</summary>
    public EncodedText? Encoded { get; init; }

    /// <summary>The keys and values of earlier positions, extended by this pass. Null: no cache.</summary>
    public KeyValueCache? PastKeyValues { get; init; }
}
