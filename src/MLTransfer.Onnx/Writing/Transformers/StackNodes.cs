using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>Blocks with the norm behind them.</summary>
/// <remarks>What a part gives is added where the next normalization reads it: one operator where operators are fused.</remarks>
internal sealed class StackNodes(LayerNodes layers, Stack stack)
{
    private Value _hidden = Value.None; // [B, T, C]
    private Value? _added;              // not in it yet

    private GraphBuilder Graph => layers.Graph;

    /// <summary>The hidden states after the last norm: [B, T, C].</summary>
    /// <param name="hidden">What the first block reads.</param>
    /// <param name="prefixes">What the names of each block's parameters begin with, dot included.</param>
    /// <param name="self">Attention of a block to the sequence itself.</param>
    /// <param name="cross">Attention of a block to what an encoder gave.</param>
    public Value Add(Value hidden, IReadOnlyList<string> prefixes, Func<int, Value, Value> self, Func<int, Value, Value> cross)
    {
        _hidden = hidden;
        foreach (var (layer, block) in stack.Blocks.Index())
        {
            Graph.EnterScope(ScopeOf(prefixes[layer]));
            if (block.Parallel)
            {
                AddParallel(block, x => self(layer, x));
                continue;
            }

            AddPart(block.Self, x => self(layer, x));
            if (block.Cross is { } attention)
                AddPart(attention, x => cross(layer, x));
            AddPart(block.Feed, x => FeedForwardNodes.Add(layers, block.Feed, x));
        }

        if (stack.Final is not { } norm)
            return Settle();
        Graph.EnterScope(ScopeOf(norm.Name));
        return Normalized(norm);
    }

    /// <summary>The scope of a layer's parent, such as <c>/transformer</c> for <c>transformer.wte</c>.</summary>
    public static string ScopeOf(string layer)
    {
        var end = layer.LastIndexOf('.');
        return end < 0 ? "" : "/" + layer[..end].Replace('.', '/');
    }

    private void AddPart(Sublayer part, Func<Value, Value> compute)
    {
        var output = Given(part, compute(part.Before is { } before ? Normalized(before) : Settle()));
        if (part.AfterSum is { } after)
            (_hidden, _added) = (layers.AddAndNormalize(Settle(), output, after, stack.Width).Normalized, null);
        else
            (_hidden, _added) = (Settle(), output);
    }

    private void AddParallel(Block block, Func<Value, Value> self)
    {
        var read = block.Self.Before is { } before ? Normalized(before) : Settle();
        var fed = block.Feed.Before == block.Self.Before ? read
            : block.Feed.Before is { } own ? layers.Normalize(_hidden, own, stack.Width) : _hidden;
        var (attention, feed) = (Given(block.Self, self(read)), Given(block.Feed, FeedForwardNodes.Add(layers, block.Feed, fed)));
        (_hidden, _added) = (Graph.Sum(_hidden, attention), feed);
    }

    private Value Given(Sublayer part, Value output) => part.OnOutput is { } norm ? layers.Normalize(output, norm, stack.Width) : output;

    private Value Normalized(Norm norm)
    {
        (var normalized, _hidden) = layers.AddAndNormalize(_hidden, _added, norm, stack.Width);
        _added = null;
        return normalized;
    }

    /// <summary>Adds what is pending.</summary>
    private Value Settle()
    {
        if (_added is { } added)
            (_hidden, _added) = (Graph.Sum(_hidden, added), null);
        return _hidden;
    }
}
