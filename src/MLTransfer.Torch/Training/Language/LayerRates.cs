using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// Learning rates that fall from the output of a network to its input (Howard and Ruder 2018, arXiv 1801.06146; as in ELECTRA, arXiv
/// 2003.10555): of a stack of n blocks, the block before which there are i others learns at the rate times decay^(n - i), its tables at
/// decay^(n + 1) of it, what comes after the blocks at the rate.
/// </summary>
internal sealed class LayerRates
{
    private readonly TransformerNetwork _network;
    private readonly double _decay;
    private readonly int _deepest;
    private readonly List<(string Prefix, double Factor)> _blocks = [];

    /// <param name="network">What is trained.</param>
    /// <param name="decay">Above 0, at most 1.</param>
    public LayerRates(TransformerNetwork network, double decay)
    {
        (_network, _decay) = (network, decay);
        var prefixes = network.BlockPrefixes;
        foreach (var stack in network.Description.Stacks)
        {
            var depth = stack.Blocks.Length;
            _deepest = Math.Max(_deepest, depth);
            _blocks.AddRange(Enumerable.Range(0, depth).Select(i => (prefixes[_blocks.Count + i], Math.Pow(decay, depth - i))).ToList());
        }
    }

    /// <summary>What the learning rate of a parameter is multiplied with.</summary>
    public double FactorOf(string parameter)
    {
        foreach (var (prefix, factor) in _blocks)
        {
            if (parameter.StartsWith(prefix, StringComparison.Ordinal))
                return factor;
        }

        return _network.IsEmbedding(parameter) || parameter.EndsWith(TokenRows.Name, StringComparison.Ordinal)
            ? Math.Pow(_decay, _deepest + 1) : 1;
    }
}
