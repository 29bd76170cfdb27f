using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Networks.Transformers.Description;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing.Transformers;

/// <summary>Keys and values of one attention, as a graph takes and gives them: each [batch, key-value heads, length, head width].</summary>
/// <param name="name">
/// What stands between <c>past_key_values.</c> or <c>present.</c> and <c>.key</c>: the layer, perhaps with the side.
/// </param>
/// <param name="attention">Whose they are.</param>
internal sealed class PastNodes(string name, Attention attention)
{
    private (Value Key, Value Value)? _given;

    /// <summary>Those of positions that were read before; null where none are taken.</summary>
    public (Value Key, Value Value)? Before { get; private set; }

    /// <summary>Whether the graph gives those that <see cref="Give"/> is told.</summary>
    public required bool IsGiven { get; init; }

    /// <summary>The name of their length in what the graph gives.</summary>
    public required string GivenLength { get; init; }

    /// <summary>Adds the inputs.</summary>
    public void Take(GraphBuilder graph, DataType type, string length, string batch = "batch_size")
    {
        Before = (Input("key"), Input("value"));

        Value Input(string kind) => graph.Input(
            $"past_key_values.{name}.{kind}", type, batch, attention.KeyValueHeads, length, attention.HeadWidth);
    }

    /// <summary>Takes others in their place.</summary>
    public void Replace(Value key, Value value) => Before = (key, value);

    public void Give(Value key, Value value) => _given = (key, value);

    /// <summary>Adds the outputs, where there are any.</summary>
    public void AddOutputs(GraphBuilder graph, DataType type)
    {
        if (!IsGiven || _given is not { } given)
            return;
        Output("key", given.Key);
        Output("value", given.Value);

        void Output(string kind, Value value) => graph.Output(
            $"present.{name}.{kind}", value, type, "batch_size", attention.KeyValueHeads, GivenLength, attention.HeadWidth);
    }
}
