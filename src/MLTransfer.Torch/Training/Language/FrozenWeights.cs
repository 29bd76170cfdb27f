using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// The frozen weights of a model that computes in another type than theirs: converted once instead of in every pass, while the weights
/// themselves wait in a file and take no memory.
/// </summary>
internal sealed class FrozenWeights : IDisposable
{
    private readonly TransformerNetwork _model;
    private readonly string _path;
    private readonly List<(Parameter Parameter, Tensor Converted)> _weights = [];
    private readonly List<Tensor> _convertedHeads = []; // where some rows are trained, so that the weight itself cannot wait in a file

    private FrozenWeights(TransformerNetwork model, string path) => (_model, _path) = (model, path);

    /// <summary>Converts the frozen weights of products; null where there are none, or where they have the compute type already.</summary>
    /// <param name="model">Gets its weights back when the result is disposed.</param>
    /// <param name="path">The file for the weights.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static FrozenWeights? Convert(TransformerNetwork model, string path)
    {
        if (model.ComputeType is not { } type || model.Device.type != TorchSharp.DeviceType.CPU)
            return null;
        var linears = Linears(model).Where(layer => IsFrozen(layer.Weight) && layer.TrainedRows is null).ToList();
        var parameters = linears.Select(layer => layer.Weight)
            .Concat(model.Output.Heads.Where(head => head.TrainedRows is null).Select(head => head.Weight)).Where(IsFrozen)
            .Distinct(ReferenceEqualityComparer.Instance).Cast<Parameter>().ToList();
        if (parameters.Count == 0)
            return null;

        using var gradients = no_grad();
        var frozen = new FrozenWeights(model, path);
        try
        {
            SafetensorsWriter.Write(path, parameters.Select((parameter, i) => KeyValuePair.Create(Name(i), (Tensor)parameter)));
            using (var file = SafetensorsFile.Open(path))
            {
                if (!OperatingSystem.IsWindows())
                    File.Delete(path); // the mapping keeps its content, and a killed run leaves nothing behind
                foreach (var (i, parameter) in parameters.Index())
                {
                    using var scope = NewDisposeScope();
                    frozen._weights.Add((parameter, parameter.to(type).DetachFromDisposeScope()));
                    parameter.set_(file.Read(Name(i)));
                    MappedFile.ReleaseMemory(parameter);
                }
            }

            foreach (var layer in linears)
                layer.ConvertedWeight = frozen.Converted(layer.Weight);
            foreach (var head in model.Output.Heads)
            {
                head.Converted = frozen.Converted(head.Weight);
                if (head.TrainedRows is null || !IsFrozen(head.Weight))
                    continue;
                head.Converted = head.Weight.to(type).DetachFromDisposeScope();
                frozen._convertedHeads.Add(head.Converted);
            }

            NativeHeap.Trim();
            return frozen;
        }
        catch
        {
            frozen.Dispose();
            throw;
        }

        bool IsFrozen(Parameter parameter) => !parameter.requires_grad && parameter.dtype != type;
        static string Name(int index) => $"weight.{index}";
    }

    /// <summary>
    /// Frees the memory that the weights themselves take again after they have been read: an embedding that the output head is tied to.
    /// </summary>
    public void ReleaseMemory()
    {
        foreach (var (parameter, _) in _weights)
            MappedFile.ReleaseMemory(parameter);
    }

    /// <summary>Gives the model its weights back.</summary>
    public void Dispose()
    {
        using var gradients = no_grad();
        foreach (var layer in Linears(_model))
            layer.ConvertedWeight = null;
        foreach (var head in _model.Output.Heads)
            head.Converted = null;
        _convertedHeads.ForEach(head => head.Dispose());
        _convertedHeads.Clear();
        foreach (var (parameter, converted) in _weights)
        {
            using var scope = NewDisposeScope();
            converted.Dispose();
            var mapped = parameter.detach();
            parameter.set_(parameter.clone());
            MappedFile.ReleaseMemory(mapped);
        }

        _weights.Clear();
        File.Delete(_path);
    }

    private Tensor? Converted(Parameter parameter) => _weights.Find(weight => ReferenceEquals(weight.Parameter, parameter)).Converted;

    private static IEnumerable<Linear> Linears(TransformerNetwork model) => model.modules().OfType<Linear>();
}
