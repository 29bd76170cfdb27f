using System.Collections.Immutable;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>Attention and feed-forward, each added to the residual stream.</summary>
/// <param name="Self">Attention to the sequence itself.</param>
/// <param name="Cross">Attention to what the encoder gives; null where there is no encoder.</param>
/// <param name="Feed">The feed-forward layers.</param>
/// <param name="Parallel">Whether feed-forward reads what attention reads, and both are added at once (GPT-J, GPT-NeoX).</param>
internal sealed record Block(Attention Self, Attention? Cross, FeedForward Feed, bool Parallel = false)
{
    /// <summary>All linear layers.</summary>
    public IEnumerable<Projection> Projections =>
        [.. Self.Inputs, Self.Output, .. Cross is null ? [] : (Projection[])[.. Cross.Inputs, Cross.Output], .. Feed.Inputs, Feed.Output];
}

/// <summary>A part of a block: x + f(x), normalized at one or several places.</summary>
internal abstract record Sublayer
{
    /// <summary>Of what the part reads (GPT).</summary>
    public Norm? Before { get; init; }

    /// <summary>Of what the part gives, before it is added (Gemma).</summary>
    public Norm? OnOutput { get; init; }

    /// <summary>Of the sum (BERT).</summary>
    public Norm? AfterSum { get; init; }
}

/// <summary>The position-wise layers: output(norm(activation(gate x) * up x)), or output(norm(activation(input x))).</summary>
/// <param name="Inner">The width between the projections.</param>
/// <param name="Activation">Of the projection, or of the gate where there is one.</param>
/// <param name="Gating">Whether and how there is a gate.</param>
/// <param name="Inputs">One projection, or gate and up where they are apart.</param>
/// <param name="Output">Back to the stack's width.</param>
internal sealed record FeedForward(int Inner, Activation Activation, Gating Gating, ImmutableArray<Projection> Inputs, Projection Output)
    : Sublayer
{
    /// <summary>Of what the last projection reads (DALL-E mini).</summary>
    public Norm? InnerNorm { get; init; }
}

/// <summary>Where the gate of a feed-forward layer is.</summary>
internal enum Gating
{
    /// <summary>Nowhere: one projection and an activation.</summary>
    None,

    /// <summary>A projection of its own beside that of what is gated.</summary>
    Apart,

    /// <summary>The first half of one projection's outputs; what is gated is the second.</summary>
    Rows,
}

/// <summary>A normalization over the last dimension.</summary>
/// <param name="Name">What stands before <c>.weight</c> and <c>.bias</c>.</param>
/// <param name="Kind">Which one.</param>
/// <param name="Epsilon">Keeps the root from 0.</param>
/// <param name="HasWeight">Whether the checkpoint has a weight; it is 1 otherwise.</param>
/// <param name="HasBias">Whether the checkpoint has a bias; it is 0 otherwise.</param>
internal sealed record Norm(string Name, Layers.NormKind Kind, double Epsilon, bool HasWeight = true, bool HasBias = true);

/// <summary>A linear layer.</summary>
/// <param name="Name">What stands before <c>.weight</c> and <c>.bias</c>.</param>
/// <param name="HasBias">Whether it has a bias.</param>
/// <param name="Deviation">The standard deviation of a new weight.</param>
/// <param name="Layout">The order of the stored weight's dimensions.</param>
internal sealed record Projection(
    string Name, bool HasBias, double Deviation, Layers.WeightLayout Layout = Layers.WeightLayout.OutputByInput);
