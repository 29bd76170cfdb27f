using System.Runtime.InteropServices;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>A TorchScript file that computes features, with errors that name it.</summary>
internal sealed class TorchScriptModule : IDisposable
{
    private readonly jit.ScriptModule<Tensor, Tensor> _module;
    private readonly UseCount _uses = new();
    private readonly string _path;

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no TorchScript module, or it is a device or a pipe.</exception>
    public TorchScriptModule(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"The feature extractor '{path}' does not exist.", path);
        FileOnDisk.RefuseAllButContent(path); // libtorch opens it
        _path = path;
        try
        {
            _module = jit.load<Tensor, Tensor>(path);
        }
        catch (ExternalException exception)
        {
            throw new InvalidDataException(
                $"'{path}' is not a TorchScript module as torch.jit.save writes it: {FirstLine(exception)}", exception);
        }

        _module.eval();
    }

    /// <summary>Runs <c>forward</c>.</summary>
    /// <param name="input">What it takes.</param>
    /// <param name="kind">What messages call the input: "images".</param>
    /// <param name="owner">The type that messages of disposal name.</param>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public Tensor Call(Tensor input, string kind, Type owner)
    {
        using var hold = _uses.Begin(owner);
        try
        {
            return _module.call(input);
        }
        catch (ExternalException exception)
        {
            throw new InvalidOperationException(
                $"The feature extractor '{_path}' failed on {kind} of shape {TensorShape.Describe(input.shape)}: {FirstLine(exception)}",
                exception);
        }
    }

    public override string ToString() => $"The feature extractor '{_path}'";

    /// <summary>Frees the module, as soon as no call uses it.</summary>
    public void Dispose() => _uses.Dispose(_module.Dispose);

    private static string FirstLine(Exception exception) => exception.Message.Split('\n')[0];
}
