using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>
/// Identifies what makes a run's result, so that it is not resumed with anything else: a hash of options, rows, what a network is made of,
/// and the values that it does not train. Everything of variable length is preceded by its length.
/// </summary>
internal sealed class RunFingerprint : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="options">Those that do not change the weights a run ends with are left out.</param>
    public RunFingerprint(TrainingOptions options)
    {
        var settings = JsonSerializer.SerializeToNode(options, options.GetType())!.AsObject();
        string[] everyRun =
            [nameof(options.OutputDirectory), nameof(options.Resume), nameof(options.CheckpointLimit), nameof(options.MemoryLimit),
             nameof(options.TensorBoard), nameof(options.Threads)];
        foreach (var name in everyRun.Concat(options.IrrelevantToWeights))
            settings.Remove(name);
        AddText(settings.ToJsonString());
    }

    /// <summary>The hash of all that was added.</summary>
    public string Value => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>Adds anything that JSON can say.</summary>
    public void AddJson<T>(T value) => AddText(JsonSerializer.Serialize(value));

    /// <summary>Adds a text.</summary>
    public void AddText(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        AddNumber(bytes.Length);
        _hash.AppendData(bytes);
    }

    /// <summary>Adds a number.</summary>
    public void AddNumber(int number) => _hash.AppendData(BitConverter.GetBytes(number));

    /// <summary>Adds numbers.</summary>
    public void AddNumbers<T>(ReadOnlySpan<T> numbers)
        where T : unmanaged
    {
        AddNumber(numbers.Length);
        _hash.AppendData(MemoryMarshal.AsBytes(numbers));
    }

    /// <summary>Adds the name, the shape and the type of a tensor that the run trains: a saved run brings back its values.</summary>
    public void AddTrained(string name, Tensor tensor) => AddText($"{name} [{string.Join(',', tensor.shape)}] {tensor.dtype}");

    /// <summary>Adds a tensor that the run relies on, values included.</summary>
    public void AddFrozen(string name, Tensor tensor)
    {
        AddTrained(name, tensor);
        _hash.AppendValues(tensor);
        if (tensor.device_type == TorchSharp.DeviceType.CPU)
            MappedFile.ReleaseUnchanged(tensor);
    }

    public void Dispose() => _hash.Dispose();
}
