using System.Collections.Immutable;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>Blocks that a sequence goes through one after the other, with what comes before and behind them.</summary>
internal sealed record Stack
{
    /// <summary>The width of hidden states.</summary>
    public required int Width { get; init; }

    /// <summary>The most positions.</summary>
    public required int Context { get; init; }

    /// <summary>Whether a position sees only itself and those before it.</summary>
    public required bool Causal { get; init; }

    public required Input Input { get; init; }

    public required ImmutableArray<Block> Blocks { get; init; }

    /// <summary>Of what the last block gives.</summary>
    public Norm? Final { get; init; }

    /// <summary>What makes logits of hidden states; several for several streams of tokens, none in an encoder below a decoder.</summary>
    public ImmutableArray<Head> Heads { get; init; } = [];

    /// <summary>Up to how many positions of a text rotations are the same; null where they never depend on its length.</summary>
    public int? UnchangedLength => Blocks.Select(block => block.Self.Rotary?.Scaling?.UnchangedLength).Where(own => own < Context).Min();

    /// <summary>Probabilities of training.</summary>
    public DropoutProbabilities Dropout { get; init; } = new(0, 0, 0);
}
