using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>Makes a DALL-E's parts, puts them where their names say, and starts new ones as PyTorch does.</summary>
/// <param name="root">What the parts become parts of.</param>
/// <param name="weights">Where weights come from.</param>
/// <param name="draws">Where dropout draws from.</param>
/// <param name="names">How the parts of layers are called.</param>
internal sealed class DalleBuilder(nn.Module root, WeightSource weights, DropoutSource draws, DalleNames names)
{
    /// <summary>Keeps the root of normalizations from 0.</summary>
    public const double Epsilon = 1e-5;

    public DalleNames Names => names;

    public DropoutSource Draws => draws;

    public Linear Linear(string name, int inputs, int outputs, bool hasBias = true)
    {
        var initialization = Initialization.Uniform(1 / Math.Sqrt(inputs));
        var layer = new Linear(
            weights.Scope(name), inputs, outputs, WeightLayout.OutputByInput, initialization, hasBias, initialization)
        {
            DropoutSource = draws,
        };
        ModuleNode.Add(root, name, layer);
        return layer;
    }

    public Normalization Normalization(string name, int width)
    {
        var norm = new Normalization(weights.Scope(name), NormKind.Layer, width, Epsilon);
        ModuleNode.Add(root, name, norm);
        return norm;
    }

    public Embedding Table(string name, int rows, int width)
    {
        var table = new Embedding(weights.Scope(name), rows, width, Initialization.Normal(1));
        ModuleNode.Add(root, name, table);
        return table;
    }

    public Parameter Parameter(string name, Initialization initialization, params ReadOnlySpan<long> shape)
    {
        var parameter = weights.Take(name, initialization, shape);
        ModuleNode.Add(root, name, parameter);
        return parameter;
    }

    /// <summary>A tensor that is saved but never trained.</summary>
    public void Buffer(string name, Tensor buffer) => ModuleNode.AddBuffer(root, name, buffer.DetachFromDisposeScope());

    /// <summary>A module without parameters.</summary>
    public void Add(string name, nn.Module module) => ModuleNode.Add(root, name, module);
}
