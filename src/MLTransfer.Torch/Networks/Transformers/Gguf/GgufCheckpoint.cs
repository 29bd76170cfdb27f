using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>The parameters in a GGUF file, under the names and in the order of rows that the network has them.</summary>
internal sealed class GgufCheckpoint : Checkpoint
{
    private readonly GgufFile _file;
    private readonly Dictionary<string, GgufParameter> _parameters;

    /// <param name="file">The file, which is disposed with this object.</param>
    /// <param name="parameters">What its tensors are.</param>
    public GgufCheckpoint(GgufFile file, IEnumerable<GgufParameter> parameters)
        : base(file.Location)
    {
        _file = file;
        _parameters = parameters.Where(parameter => file.Stored.ContainsKey(parameter.Stored))
            .ToDictionary(parameter => parameter.Parameter);
        Tensors = _parameters.ToDictionary(entry => entry.Key, entry => InfoOf(entry.Value));
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    public override Tensor Read(string name)
    {
        if (!_parameters.TryGetValue(name, out var parameter))
            throw Missing(name);
        using var stored = _file.Read(parameter.Stored);
        return parameter.ToParameter(stored);
    }

    internal override void ReleaseMemory(string name) => _file.ReleaseMemory(_parameters[name].Stored);

    protected override void Dispose(bool disposing) => _file.Dispose();

    private TensorInfo InfoOf(GgufParameter parameter)
    {
        var info = _file.Tensors[parameter.Stored];
        if (parameter.Rows is { } rows && (info.Shape.Count == 0 || info.Shape[0] != rows.Count))
        {
            throw _file.Metadata.Invalid(
                $"the tensor '{parameter.Stored}' is of shape {TensorShape.Describe(info.Shape)}; expected {rows.Count} rows");
        }

        return parameter.Layout == WeightLayout.InputByOutput && info.Shape.Count == 2
            ? info with { Shape = [info.Shape[1], info.Shape[0]] } : info;
    }
}
