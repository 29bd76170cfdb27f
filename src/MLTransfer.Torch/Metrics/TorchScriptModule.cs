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
    private readonly Func<byte[]> _readProgram;

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no TorchScript module, or it is a device or a pipe.</exception>
    public TorchScriptModule(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"The feature extractor '{path}' does not exist.", path);
        FileOnDisk.RefuseAllButContent(path); // libtorch opens it
        var (full, length, time) = (Path.GetFullPath(path), new FileInfo(path).Length, File.GetLastWriteTimeUtc(path));
        _readProgram = () => new FileInfo(full) is { Exists: true } file && file.Length == length && file.LastWriteTimeUtc == time
            ? FileKind.Network.Read(full)
            : throw new IOException($"'{full}' is gone or was changed after it was loaded. Load it again before saving it.");
        (_path, _module) = (path, Load(path, () => jit.load<Tensor, Tensor>(path)));
    }

    /// <exception cref="InvalidDataException">It is no TorchScript module.</exception>
    public TorchScriptModule(byte[] program, string name) =>
        (_path, _readProgram, _module) = (name, () => program, Load(name, () => jit.load<Tensor, Tensor>(program)));

    /// <summary>The program, as it was loaded.</summary>
    /// <exception cref="IOException">Its file is gone, or another one by now.</exception>
    public byte[] ReadProgram() => _readProgram();

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

    private static jit.ScriptModule<Tensor, Tensor> Load(string name, Func<jit.ScriptModule<Tensor, Tensor>> load)
    {
        try
        {
            var module = load();
            module.eval();
            return module;
        }
        catch (ExternalException exception)
        {
            throw new InvalidDataException(
                $"'{name}' is not a TorchScript module as torch.jit.save writes it: {FirstLine(exception)}", exception);
        }
    }

    private static string FirstLine(Exception exception) => exception.Message.Split('\n')[0];
}
