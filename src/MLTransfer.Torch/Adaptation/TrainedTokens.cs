using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Adaptation;

/// <summary>The rows of a network's token embedding and output head that are trained beside adapters.</summary>
internal static class TrainedTokens
{
    /// <summary>The modules that have such rows, the embedding first; none where the options name no token.</summary>
    /// <exception cref="ArgumentException">The network has no such table, or no such token.</exception>
    public static IReadOnlyList<(string Name, nn.Module Module)> Modules(GenerativeNetwork network, LoraOptions options)
    {
        if (options.TrainedTokens.Count == 0)
            return [];
        var (table, vocabulary) = TableOf(network);
        if (table is null)
        {
            throw new ArgumentException(
                $"{nameof(LoraOptions.TrainedTokens)} (trainable_token_indices) are of a network with one table of tokens; "
                + $"{network.GetName()} is none.", nameof(options));
        }

        if (options.TrainedTokens.Max() is var largest && largest >= vocabulary)
        {
            throw new ArgumentException(
                $"{nameof(LoraOptions.TrainedTokens)} (trainable_token_indices) name the token {largest}; the network has "
                + $"{vocabulary}. Give it room first "
                + $"({nameof(TransformerNetwork)}.{nameof(TransformerNetwork.WithTokens)}).",
                nameof(options));
        }

        var modules = network.named_modules().ToList();
        var found = new List<(string Name, nn.Module Module)> { modules.First(m => ReferenceEquals(m.module, table)) };
        if (options.TrainsTokensOfHead && network is TransformerNetwork { Output.Heads: [{ Layer: { } head }, ..] })
            found.Add(modules.First(m => ReferenceEquals(m.module, head)));
        return found;
    }

    /// <summary>Makes the rows trained, with the values that the tables have.</summary>
    public static void Attach(GenerativeNetwork network, LoraOptions options)
    {
        foreach (var (_, module) in Modules(network, options))
            Set(module, TokenRows.Of(options.TrainedTokens, TableOf(module), network.DataType));
    }

    /// <summary>Gives a module's rows other values.</summary>
    /// <param name="module">One of <see cref="Modules"/>.</param>
    /// <param name="ids">The rows' numbers.</param>
    /// <param name="values">[ids, width]; the rows' own from here on.</param>
    public static void Attach(nn.Module module, IReadOnlyList<int> ids, Tensor values)
    {
        var rows = new TokenRows(ids, values);
        Set(module, rows);
        rows.Write(TableOf(module));
    }

    /// <summary>Leaves the tables with what was trained.</summary>
    public static void Merge(GenerativeNetwork network)
    {
        foreach (var module in network.modules())
            Set(module, null);
    }

    public static Tensor TableOf(nn.Module module) => module is Embedding table ? table.Weight : ((Linear)module).Weight;

    /// <summary>The one table that a network looks tokens up in, and their number; null where there are several or none.</summary>
    private static (nn.Module? Table, long Vocabulary) TableOf(GenerativeNetwork network)
    {
        if (network is not TransformerNetwork transformer)
        {
            nn.Module? only = network.TokenTable is { } own ? own : network.TokenHead;
            return (only, only is null ? 0 : TableOf(only).shape[0]);
        }

        var stacks = transformer.Description.Stacks;
        var isOne = stacks.All(stack => stack.Input.Tables.Length == 1)
            && stacks.Select(stack => stack.Input.Tables[0]).Distinct().Count() == 1;
        return isOne ? (transformer.Output.Input.Tables[0], transformer.VocabularySize) : (null, 0);
    }

    private static void Set(nn.Module module, TokenRows? rows)
    {
        if (module is Embedding table)
        {
            table.TrainedRows?.Dispose();
            table.TrainedRows = rows;
        }
        else if (module is Linear head)
        {
            head.TrainedRows?.Dispose();
            head.TrainedRows = rows;
        }
    }
}
