using System.Collections.Immutable;

namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>Descriptions that differ from another one in a few places.</summary>
internal static class Variations
{
    /// <summary>The same network with another decoder.</summary>
    public static Transformer WithDecoder(this Transformer transformer, Func<Stack, Stack> change) =>
        transformer with { Decoder = change(transformer.Decoder!) };

    /// <summary>The same network with other blocks in its decoder.</summary>
    /// <param name="transformer">The network.</param>
    /// <param name="change">Makes another block of a block and its number.</param>
    public static Transformer WithBlocks(this Transformer transformer, Func<Block, int, Block> change) =>
        transformer.WithDecoder(stack => stack with { Blocks = [.. stack.Blocks.Select(change)] });

    /// <summary>The same network with other attention in its decoder's blocks.</summary>
    /// <param name="transformer">The network.</param>
    /// <param name="change">Makes other attention of that of a block and the block's number.</param>
    public static Transformer WithAttention(this Transformer transformer, Func<Attention, int, Attention> change) =>
        transformer.WithBlocks((block, layer) => block with { Self = change(block.Self, layer) });

    /// <summary>The same projections with or without biases.</summary>
    public static ImmutableArray<Projection> WithBias(this ImmutableArray<Projection> projections, bool hasBias) =>
        [.. projections.Select(projection => projection with { HasBias = hasBias })];
}
