using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>The position-wise layers of a block.</summary>
internal static class FeedForwardNodes
{
    /// <summary>[B, T, C] to the same shape.</summary>
    public static Value Add(LayerNodes layers, FeedForward feed, Value x)
    {
        var inner = Inner(layers, feed, x);                                                          // [B, T, inner]
        if (feed.InnerNorm is { } norm)
            inner = layers.Normalize(inner, norm, feed.Inner);
        return layers.Linear(inner, feed.Output);
    }

    private static Value Inner(LayerNodes layers, FeedForward feed, Value x)
    {
        var graph = layers.Graph;
        var activation = feed.Activation;
        switch (feed.Gating)
        {
            case Gating.None when layers.Fused && activation == Activation.GeluTanh:
                var product = layers.Product(x, feed.Inputs[0]);
                return graph.RuntimeNode("FastGelu", 1, feed.Inputs[0].HasBias ? [product, layers.Bias(feed.Inputs[0])] : [product])[0];
            case Gating.None:
                return Activate(layers.Linear(x, feed.Inputs[0]));
            case Gating.Apart:
                return graph.Product(Activate(layers.Linear(x, feed.Inputs[0])), layers.Linear(x, feed.Inputs[1]));
            case Gating.Rows:
                var both = graph.Nodes(
                    "Split", 2, [layers.Linear(x, feed.Inputs[0]), graph.Constant([feed.Inner, feed.Inner])], attributes: ("axis", -1L));
                return graph.Product(Activate(both[0]), both[1]);
            default:
                throw new NotSupportedException($"A feed-forward layer with the gate {feed.Gating} cannot be exported to ONNX.");
        }

        Value Activate(Value value) => ActivationNodes.Apply(graph, activation, value, layers.Type);
    }
}
