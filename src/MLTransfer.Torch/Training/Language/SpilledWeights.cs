using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Frozen parameters that wait in a file, mapped into memory, and take none of their own until they are read.</summary>
internal sealed class SpilledWeights : IDisposable
{
    private readonly string _path;
    private readonly List<Parameter> _parameters = [];

    /// <param name="parameters">Of memory of the CPU; they are of the file from now on.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be written; parameters are as they were.</exception>
    public SpilledWeights(IReadOnlyList<Parameter> parameters, string path)
    {
        _path = path;
        if (parameters.Count == 0)
            return;
        using var gradients = no_grad();
        SafetensorsWriter.Write(path, parameters.Select((parameter, i) => KeyValuePair.Create(Name(i), (Tensor)parameter)));
        using var file = SafetensorsFile.Open(path);
        if (!OperatingSystem.IsWindows())
            File.Delete(path); // the mapping keeps its content, and a killed run leaves nothing behind
        foreach (var (i, parameter) in parameters.Index())
        {
            using var scope = NewDisposeScope();
            parameter.set_(file.Read(Name(i)));
            _parameters.Add(parameter);
        }

        NativeHeap.Trim();

        static string Name(int index) => $"weight.{index}";
    }

    /// <summary>Frees the memory that parameters take again after they have been read.</summary>
    public void ReleaseMemory() => _parameters.ForEach(MappedFile.ReleaseMemory);

    /// <summary>Brings the parameters back into memory.</summary>
    public void Dispose()
    {
        using var gradients = no_grad();
        foreach (var parameter in _parameters)
        {
            using var scope = NewDisposeScope();
            var mapped = parameter.detach();
            parameter.set_(parameter.clone());
            MappedFile.ReleaseMemory(mapped);
        }

        _parameters.Clear();
        File.Delete(_path);
    }
}
