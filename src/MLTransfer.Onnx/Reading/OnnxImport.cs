using System.Runtime.InteropServices;
using MLTransfer.Onnx.Reading.Operators;
using MLTransfer.Onnx.Schema;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading;

/// <summary>
/// A graph of an ONNX file that TorchSharp computes, node by node, so that its weights can be trained. Batch normalization keeps the
/// statistics of the file.
/// </summary>
internal sealed class OnnxImport : OnnxBaseNetwork
{
    private readonly List<Step> _steps = [];
    private readonly Dictionary<string, Tensor> _constants = []; // weights included
    private readonly Dictionary<string, string> _layerOfParameter = [];

    /// <exception cref="NotSupportedException">An operator or a type cannot be imported; the message names it and its place.</exception>
    /// <exception cref="InvalidDataException">The graph is not valid.</exception>
    public OnnxImport(OnnxGraph graph) : base(graph)
    {
        try
        {
            foreach (var tensor in graph.Model.Graph.Initializer)
                AddConstant(tensor.Name, OnnxTensor.Read(tensor, $"'{graph.Location}': the weight '{tensor.Name}'"));
            Prepare();
            Parameters = FindParameters();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override IReadOnlyList<KeyValuePair<string, Tensor>> Parameters { get; } = [];

    public override ModelProto ToModel()
    {
        var model = Graph.Model.Clone();
        foreach (var tensor in model.Graph.Initializer)
        {
            if (_layerOfParameter.ContainsKey(tensor.Name))
                OnnxTensor.Replace(tensor, _constants[tensor.Name]);
        }

        return model;
    }

    public override void Dispose()
    {
        foreach (var constant in _constants.Values)
            constant.Dispose();
    }

    internal override string LayerOf(string parameterName) => _layerOfParameter[parameterName];

    protected override Tensor Run(Tensor input)
    {
        using var scope = NewDisposeScope();
        var values = new Dictionary<string, Tensor>(_constants) { [Graph.Input] = input };
        foreach (var step in _steps)
        {
            var outputs = Run(step, values);
            foreach (var (name, output) in OperatorTable.ComputedOutputs(step.Node).Zip(outputs))
                values[name] = output;
            foreach (var name in step.Finished)
            {
                if (values.Remove(name, out var finished))
                    finished.Dispose();
            }
        }

        return values[Graph.Output].alias().MoveToOuterDisposeScope();
    }

    private static Tensor[] Run(Step step, Dictionary<string, Tensor> values)
    {
        using var scope = NewDisposeScope();
        try
        {
            Tensor?[] inputs = [.. step.Node.Inputs.Select(name => name.Length == 0 ? null : values[name])];
            var outputs = step.Compute(step.Node, inputs);
            foreach (var output in outputs)
                output.MoveToOuterDisposeScope();
            return outputs;
        }
        catch (ExternalException exception)
        {
            throw new InvalidOperationException($"{step.Node.Place}: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is IndexOutOfRangeException or OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"{step.Node.Place}: its attributes do not fit its inputs: {exception.Message}", exception);
        }
    }

    private void AddConstant(string name, Tensor tensor)
    {
        if (_constants.TryAdd(name, tensor))
            return;
        tensor.Dispose();
        throw new InvalidDataException($"'{Graph.Location}' has two values '{name}'.");
    }

    /// <summary>Finds the operators, computes constants, and finds out which values are needed how long.</summary>
    private void Prepare()
    {
        var known = _constants.Keys.Append(Graph.Input).ToHashSet();
        foreach (var (index, proto) in Graph.Model.Graph.Node.Index())
        {
            var node = new OnnxNode(proto, index, Graph);
            var compute = OperatorTable.Find(node);
            if (node.Inputs.FirstOrDefault(name => name.Length > 0 && !known.Contains(name)) is { } missing)
                throw node.Invalid($"its input '{missing}' is made by no node before it, or is an output that cannot be imported");
            if (OperatorTable.ComputedOutputs(node).FirstOrDefault(name => !known.Add(name)) is { } twice)
                throw node.Invalid($"its output '{twice}' exists already");
            if (node.Operator == "Constant")
                AddConstant(node.Outputs[0], compute(node, [])[0].DetachFromDisposeScope());
            else
                _steps.Add(new Step(node, compute, []));
        }

        if (!known.Contains(Graph.Output))
            throw new InvalidDataException($"'{Graph.Location}': no node makes the output '{Graph.Output}'.");
        var lasts = new Dictionary<string, Step>();
        foreach (var step in _steps)
        {
            foreach (var name in step.Node.Inputs.Concat(OperatorTable.ComputedOutputs(step.Node)))
                lasts[name] = step;
        }

        foreach (var (name, step) in lasts)
        {
            if (name != Graph.Input && name != Graph.Output && !_constants.ContainsKey(name))
                step.Finished.Add(name);
        }
    }

    /// <summary>
    /// Weights are what the operators with weights take as such, perhaps through a transposition; other constants stay as they are.
    /// </summary>
    private List<KeyValuePair<string, Tensor>> FindParameters()
    {
        var makers =
            _steps.SelectMany(step => OperatorTable.ComputedOutputs(step.Node).Select(name => KeyValuePair.Create(name, step.Node)))
            .ToDictionary();
        var initializers = Graph.Model.Graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
        var parameters = new List<KeyValuePair<string, Tensor>>();
        foreach (var step in _steps)
        {
            foreach (var (name, layer) in OperatorTable.WeightInputs(step.Node, makers))
            {
                var source = name;
                while (makers.TryGetValue(source, out var maker) && maker.Operator is "Transpose" or "Identity")
                    source = maker!.Inputs[0];
                if (!initializers.Contains(source) || _constants[source].dtype != ScalarType.Float32
                    || !_layerOfParameter.TryAdd(source, layer))
                    continue;
                var parameter = new Parameter(_constants[source], requires_grad: true);
                parameter.DetachFromDisposeScope();
                _constants[source] = parameter;
                parameters.Add(KeyValuePair.Create(source, (Tensor)parameter));
            }
        }

        return parameters;
    }

    /// <param name="Node">The node.</param>
    /// <param name="Compute">Its operator.</param>
    /// <param name="Finished">Values that nobody needs after it.</param>
    private sealed record Step(OnnxNode Node, Operator Compute, List<string> Finished);
}
