using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// The frozen weights of a model that computes in another type than theirs, or with integers of few bits: converted once instead of in
/// every pass, while the weights themselves wait in a file and take no memory.
/// </summary>
internal sealed class FrozenWeights : IDisposable
{
    private readonly TransformerNetwork _model;
    private readonly List<(Parameter Parameter, Tensor Converted)> _weights = [];
    private readonly List<Tensor> _convertedHeads = []; // where some rows are trained, so that the weight itself cannot wait in a file
    private readonly SpilledWeights _spilled;
    private FrozenMatrices? _matrices;

    private FrozenWeights(TransformerNetwork model, SpilledWeights spilled) => (_model, _spilled) = (model, spilled);

    /// <summary>Converts the frozen weights of products; null where there are none, or where they are what is computed with.</summary>
    /// <param name="model">Gets its weights back when the result is disposed.</param>
    /// <param name="path">The file for the weights.</param>
    /// <param name="format">Of few bits; null for the type of products.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static FrozenWeights? Convert(TransformerNetwork model, string path, FrozenFormat? format = null)
    {
        if (model.ComputeType is null && format is null || model.Device.type != TorchSharp.DeviceType.CPU)
            return null;
        var linears = Linears(model).Where(layer => IsFrozen(layer.Weight) && layer.TrainedRows is null).ToList();
        var heads = model.Output.Heads.Where(head => head.TrainedRows is null && IsFrozen(head.Weight)).ToList();
        var parameters = linears.Select(layer => layer.Weight).Concat(heads.Select(head => head.Weight))
            .Distinct(ReferenceEqualityComparer.Instance).Cast<Parameter>().ToList();
        if (parameters.Count == 0)
            return null;

        using var gradients = no_grad();
        var spilled = new SpilledWeights(
            format is null ? parameters : [.. parameters.Where(parameter => !MappedFile.IsMapped(parameter))], path);
        var frozen = new FrozenWeights(model, spilled);
        try
        {
            if (format is { } bits)
                frozen._matrices = new FrozenMatrices(model, linears, heads, bits);
            else
                frozen.ConvertAll(parameters, linears, model.ComputeType!.Value);
            spilled.ReleaseMemory();
            NativeHeap.Trim();
            return frozen;
        }
        catch
        {
            frozen.Dispose();
            throw;
        }

        bool IsFrozen(Parameter parameter) => !parameter.requires_grad && (format is not null || parameter.dtype != model.ComputeType);
    }

    /// <summary>
    /// Frees the memory that the weights themselves take again after they have been read: an embedding that the output head is tied to.
    /// </summary>
    public void ReleaseMemory()
    {
        _spilled.ReleaseMemory();
        _matrices?.ReleaseMemory();
    }

    /// <summary>Gives the model its weights back.</summary>
    public void Dispose()
    {
        using var gradients = no_grad();
        foreach (var layer in Linears(_model))
            layer.ConvertedWeight = null;
        foreach (var head in _model.Output.Heads)
            head.Converted = null;
        foreach (var converted in _convertedHeads.Concat(_weights.Select(weight => weight.Converted)))
            converted.Dispose();
        _convertedHeads.Clear();
        _weights.Clear();
        _matrices?.Dispose();
        _matrices = null;
        _spilled.Dispose();
    }

    private void ConvertAll(List<Parameter> parameters, List<Linear> linears, ScalarType type)
    {
        foreach (var parameter in parameters)
        {
            _weights.Add((parameter, parameter.to(type).DetachFromDisposeScope()));
            MappedFile.ReleaseMemory(parameter);
        }

        foreach (var layer in linears)
            layer.ConvertedWeight = Converted(layer.Weight);
        foreach (var head in _model.Output.Heads)
        {
            head.Converted = Converted(head.Weight);
            if (head.TrainedRows is null || head.Weight.requires_grad || head.Weight.dtype == type)
                continue;
            head.Converted = head.Weight.to(type).DetachFromDisposeScope();
            _convertedHeads.Add(head.Converted);
        }
    }

    private Tensor? Converted(Parameter parameter) => _weights.Find(weight => ReferenceEquals(weight.Parameter, parameter)).Converted;

    private static IEnumerable<Linear> Linears(TransformerNetwork model) => model.modules().OfType<Linear>();
}
