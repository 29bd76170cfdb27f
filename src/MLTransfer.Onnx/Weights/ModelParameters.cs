using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using Linear = MLTransfer.Torch.Layers.Linear;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Weights;

/// <summary>The parameters of a model by name, with its LoRA adapters merged or apart.</summary>
internal sealed class ModelParameters(GenerativeNetwork model, bool separateAdapter)
{
    private readonly Dictionary<string, Tensor> _tensors = new(model.CheckpointTensors());
    private readonly Dictionary<string, Linear> _adapted = model.AdaptedLayers().ToDictionary(layer => layer.Name, layer => layer.Layer);

    /// <summary>A parameter that no precision quantizes: biases, normalizations, the table of positions.</summary>
    /// <param name="graph">Takes the constant.</param>
    /// <param name="name">The parameter's name.</param>
    /// <param name="type">The type that is stored.</param>
    /// <param name="change">Makes of the parameter what is stored; null for the parameter itself.</param>
    /// <param name="suffix">What the name of something changed ends with.</param>
    public Value Unquantized(GraphBuilder graph, string name, DataType type, Func<Tensor, Tensor>? change = null, string suffix = "") =>
        graph.Add(name + suffix, () => TensorContent.Initializer(
            name + suffix, type, () => change is null ? _tensors[name] : change(_tensors[name].to(ScalarType.Float32))));

    /// <summary>The weight of a linear layer or a table of embeddings.</summary>
    public WeightMatrix Matrix(string name, WeightLayout layout)
    {
        var shape = _tensors[name].shape;
        var (inputs, outputs) = layout == WeightLayout.InputByOutput ? (shape[0], shape[1]) : (shape[1], shape[0]);
        return new WeightMatrix(name, layout, inputs, outputs, Read);

        Tensor Read()
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            var weight = !separateAdapter && _adapted.TryGetValue(LayerOf(name), out var layer)
                ? layer.MergedWeight() : _tensors[name].detach();
            return weight.MoveToOuterDisposeScope();
        }
    }

    /// <summary>input A' B' * scale for a linear layer whose adapter is apart; null where there is none.</summary>
    /// <param name="graph">Takes the nodes.</param>
    /// <param name="input">[batch, length, inputs].</param>
    /// <param name="weightName">The name of the layer's weight.</param>
    /// <param name="type">The type that is computed in.</param>
    public Value? AdapterUpdate(GraphBuilder graph, Value input, string weightName, DataType type)
    {
        if (!separateAdapter || !_adapted.TryGetValue(LayerOf(weightName), out var layer))
            return null;
        var adapter = layer.Adapter!;
        if (adapter.Magnitude is not null)
        {
            throw new NotSupportedException(
                "A weight-decomposed adapter (DoRA) is not exported apart from its weights. Leave "
                + $"{nameof(OnnxExportOptions.SeparateAdapter)} out: it is merged then.");
        }

        var a = graph.Transpose(Add("lora_A.weight", adapter.A), 1, 0);    // [inputs, rank]
        var b = graph.Transpose(Add("lora_B.weight", adapter.B), 1, 0);    // [rank, outputs]
        var scaleName = AdapterFile.ScaleNameOf(model.Lora!, LayerOf(weightName));
        var scale = graph.Add(scaleName, () => AdapterFile.Scale(scaleName, adapter.Scale, type));
        return graph.MatrixProduct(graph.Product(graph.MatrixProduct(input, a), scale), b);

        Value Add(string part, Tensor parameter) => graph.Add($"{LayerOf(weightName)}.{part}", () =>
            AdapterFile.Matrix($"{LayerOf(weightName)}.{part}", parameter, type));
    }

    private static string LayerOf(string weightName) => weightName[..^".weight".Length];
}
