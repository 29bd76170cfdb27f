using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Layers.Frozen;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Frozen matrices of a model in few bits; see <see cref="LanguageTrainingOptions.FrozenFormat"/>.</summary>
internal sealed class FrozenMatrices : IDisposable
{
    private readonly TransformerNetwork _model;
    private readonly List<Parameter> _tables;
    private readonly List<FrozenMatrix> _matrices = [];

    /// <summary>Rounds frozen weights of products.</summary>
    /// <param name="model">Computes with them until this is disposed.</param>
    /// <param name="linears">Its layers.</param>
    /// <param name="heads">Its output heads.</param>
    /// <param name="format">Of the layers.</param>
    public FrozenMatrices(TransformerNetwork model, IEnumerable<Linear> linears, IEnumerable<HeadModule> heads, FrozenFormat format)
    {
        _model = model;
        _tables = [.. model.modules().OfType<Embedding>().Select(table => table.Weight).Where(weight => !weight.requires_grad)];
        try
        {
            var ofHeads = new Dictionary<Parameter, FrozenMatrix>(ReferenceEqualityComparer.Instance);
            foreach (var head in heads)
            {
                if (!ofHeads.TryGetValue(head.Weight, out var matrix))
                    ofHeads[head.Weight] = matrix = Create(head.Weight, FrozenFormat.Int8);
                head.Frozen = matrix;
            }

            foreach (var layer in linears.Where(layer => !ofHeads.ContainsKey(layer.Weight)))
                layer.Frozen = Create(layer.Weight, format);
            model.HasFrozenMatrices = true;
            ReleaseMemory();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Refuses a model for which it does not go.</summary>
    /// <exception cref="ArgumentException">
    /// The model is not on the CPU, has adapters that read whole weights, or no frozen matrices.
    /// </exception>
    public static void Check(TransformerNetwork model)
    {
        const string Name = nameof(LanguageTrainingOptions.FrozenFormat);
        if (model.Device.type != TorchSharp.DeviceType.CPU)
            throw new ArgumentException($"{Name} is for the CPU; the model is on {model.Device}. Leave it out.", nameof(model));
        if (model.Lora is { WeightDecomposed: true })
        {
            throw new ArgumentException(
                $"{Name} keeps no whole matrix, but LoRA with {nameof(LoraOptions.WeightDecomposed)} reads each in every pass. "
                + "Leave out one of them.", nameof(model));
        }

        if (model.modules().OfType<Linear>().All(layer => layer.Weight.requires_grad))
        {
            throw new ArgumentException(
                $"{Name} is for frozen matrices, but all of the model's are trained. Attach LoRA adapters, freeze blocks, or leave it out.",
                nameof(model));
        }
    }

    /// <summary>Frees the memory of tables that wait in the file that the model was loaded from: of what was read of them.</summary>
    public void ReleaseMemory() => _tables.ForEach(table => MappedFile.ReleaseUnchanged(table));

    /// <summary>The model computes with its weights again.</summary>
    public void Dispose()
    {
        foreach (var layer in _model.modules().OfType<Linear>())
            layer.Frozen = null;
        foreach (var head in _model.Output.Heads)
            head.Frozen = null;
        _matrices.ForEach(matrix => matrix.Dispose());
        _matrices.Clear();
        _model.HasFrozenMatrices = false;
    }

    private FrozenMatrix Create(Parameter weight, FrozenFormat format)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var matrix = FrozenMatrix.Create(weight.contiguous(), format);
        _matrices.Add(matrix);
        return matrix;
    }
}
