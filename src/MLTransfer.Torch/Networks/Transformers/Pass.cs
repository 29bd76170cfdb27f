using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>What all blocks of a stack share in one forward pass. Its tensors live as long as the caller's dispose scope, and those of
/// recomputed blocks longer.</summary>
internal sealed class Pass
{
    /// <summary>Whether dropout is at work.</summary>
    public required bool Training { get; init; }

    public required DropoutProbabilities Dropout { get; init; }

    public required DropoutSource Draws { get; init; }

    /// <summary>Past keys and values, which the pass appends to; null for none.</summary>
    public KeyValueCache? Cache { get; init; }

    /// <summary>What an encoder gave; null for stacks without cross-attention.</summary>
    public EncodedText? Encoded { get; init; }

    /// <summary>Positions in the cache before this pass.</summary>
    public required int Past { get; init; }

    /// <summary>Who sees whom, by window; 0 stands for none.</summary>
    public required IReadOnlyDictionary<int, AttentionMask> Masks { get; init; }

    /// <summary>Cosines and sines, each [batch or 1, 1, length, rotated / 2].</summary>
    public required IReadOnlyDictionary<Rotary, (Tensor Cosines, Tensor Sines)> Rotations { get; init; }

    /// <summary>[1, heads, queries, keys] by the table of relative biases; null where blocks are computed twice, and each makes its
    /// own.</summary>
    public required IReadOnlyDictionary<string, Tensor>? Biases { get; init; }
}
