using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>Makes the layers that a description names, each name once, and registers them under their names in the order of their
/// making.</summary>
/// <param name="root">The network.</param>
/// <param name="weights">Where parameters come from.</param>
internal sealed class ModuleBuilder(GenerativeNetwork root, WeightSource weights)
{
    private readonly Dictionary<string, nn.Module> _modules = [];

    /// <summary>Where dropout draws from.</summary>
    public DropoutSource Draws => root.DropoutSource;

    public Linear Linear(Projection projection, int inputs, int outputs) => Once(projection.Name, () => new Linear(
        weights.Scope(projection.Name), inputs, outputs, projection.Layout, Initialization.Normal(projection.Deviation), projection.HasBias)
        { DropoutSource = Draws });

    public Normalization? Normalization(Norm? norm, int width) => norm is null ? null : Once(norm.Name, () => new Normalization(
        weights.Scope(norm.Name), norm.Kind, width, norm.Epsilon, norm.HasWeight, norm.HasBias));

    /// <param name="name">The parameter's whole name.</param>
    /// <param name="rows">The rows of the table.</param>
    /// <param name="width">Their width.</param>
    /// <param name="deviation">The standard deviation of a new table.</param>
    public Embedding Table(string name, int rows, int width, double deviation) => Once(ModuleOf(name), () => new Embedding(
        weights.Scope(ModuleOf(name)), rows, width, Initialization.Normal(deviation)));

    /// <summary>A bias of logits: [rows] or [1, rows].</summary>
    public Tensor Bias(HeadBias bias, int rows)
    {
        long[] shape = bias.IsRow ? [1, rows] : [rows];
        var parameter = weights.Take(bias.Name, Initialization.Zeros, shape);
        if (bias.IsTrained)
        {
            ModuleNode.Add(root, bias.Name, parameter);
            return parameter;
        }

        var buffer = parameter.detach().DetachFromDisposeScope();
        ModuleNode.AddBuffer(root, bias.Name, buffer);
        return buffer;
    }

    /// <summary>The table of this name where there is one: the head is tied to it.</summary>
    public Embedding? FindTable(string name) => _modules.GetValueOrDefault(ModuleOf(name)) as Embedding;

    private static string ModuleOf(string name) => name.EndsWith(".weight", StringComparison.Ordinal)
        ? name[..^".weight".Length]
            : throw new ArgumentException($"The name of the table '{name}' does not end with '.weight'.", nameof(name));

    private T Once<T>(string name, Func<T> create)
        where T : nn.Module
    {
        if (_modules.TryGetValue(name, out var known))
            return (T)known;
        var module = create();
        _modules.Add(name, module);
        ModuleNode.Add(root, name, module);
        return module;
    }
}
