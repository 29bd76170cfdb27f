using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>Makes logits of hidden states.</summary>
internal static class HeadNodes
{
    /// <summary>[B, T, C] to [B, T, rows].</summary>
    public static Value Add(LayerNodes layers, Head head, Value hidden, int width)
    {
        var graph = layers.Graph;
        if (head.Transform is { } transform)
        {
            hidden = layers.Linear(hidden, transform.Dense);
            hidden = ActivationNodes.Apply(graph, transform.Activation, hidden, layers.Type);
            hidden = layers.Normalize(hidden, transform.Norm, width);
        }

        if (head.Projection is { } projection)
            hidden = layers.Linear(hidden, projection);
        if (head.Scale != 1)
            hidden = graph.Product(hidden, layers.Number(head.Scale));
        var logits = layers.MultiplyRows(hidden, head.Weight);
        if (head.Bias is { } bias)
            logits = graph.Sum(logits, layers.Unquantized(bias.Name)); // [rows] or [1, rows]
        return layers.Cap(logits, head.SoftCap, layers.Type);
    }
}
