namespace MLTransfer.Torch.Networks.Transformers.Description;

/// <summary>
/// A network of transformer blocks, said once: modules, decoding step, exports, checkpoint names, freezing, adapters and quantization
/// read it. One name is one parameter: what is tied has equal names. Blocks are a list: nothing is a function of the layer's index.
/// </summary>
/// <param name="Encoder">Reads a text in both directions; null where there is none.</param>
/// <param name="Decoder">Reads what it has written, and what the encoder made of its text; null where there is none.</param>
internal sealed record Transformer(Stack? Encoder, Stack? Decoder)
{
    /// <summary>Beginnings of the names of tensors that a checkpoint may have and this network leaves alone.</summary>
    public IReadOnlyList<string> Unused { get; init; } = [];

    /// <summary>Encoder and decoder, as far as they are there.</summary>
    public IEnumerable<Stack> Stacks => ((Stack?[])[Encoder, Decoder]).OfType<Stack>();

    /// <summary>The stack whose heads give the logits.</summary>
    public Stack Output => Decoder ?? Encoder!;

    /// <summary>What the names of each block's parameters begin with, dot included, in the order of computation.</summary>
    public IReadOnlyList<string> BlockPrefixes => [.. Stacks.SelectMany(stack => stack.Blocks).Select(CommonPrefix)];

    private static string CommonPrefix(Block block)
    {
        var names = block.Projections.Select(projection => projection.Name).ToList();
        var length = names[0].Length;
        while (!names.All(name => name.StartsWith(names[0][..length], StringComparison.Ordinal)))
            length--;
        return names[0][..(names[0].LastIndexOf('.', length - 1) + 1)];
    }
}
