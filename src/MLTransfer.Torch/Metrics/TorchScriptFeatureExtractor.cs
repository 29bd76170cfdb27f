using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>
/// The features that a TorchScript module gives: a file written by <c>torch.jit.save</c> whose <c>forward</c> takes images and gives [N,
/// width].
/// </summary>
public sealed class TorchScriptFeatureExtractor : IImageFeatureExtractor, IDisposable
{
    private readonly TorchScriptModule _module;

    /// <summary>Loads the module. TorchScript is a program of its own, without access to files or processes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="resolution">What images are resized to, bilinearly; null for as they are.</param>
    /// <param name="black">What the module takes for black: -1, 0 ...</param>
    /// <param name="white">What the module takes for white: 1, 255 ...</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no TorchScript module, or it is a device or a pipe.</exception>
    public TorchScriptFeatureExtractor(string path, int? resolution = null, double black = -1, double white = 1)
    {
        if (resolution is not null)
            ArgumentOutOfRangeException.ThrowIfLessThan(resolution.Value, 1, nameof(resolution));
        (_module, Resolution, Range) = (new TorchScriptModule(path), resolution, (black, white));
    }

    /// <summary>Loads a module that is in memory.</summary>
    /// <param name="program">What <c>torch.jit.save</c> writes.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="resolution">See the public constructor.</param>
    /// <param name="black">See there.</param>
    /// <param name="white">See there.</param>
    internal TorchScriptFeatureExtractor(byte[] program, string name, int? resolution, double black, double white) =>
        (_module, Resolution, Range) = (new TorchScriptModule(program, name), resolution, (black, white));

    /// <summary>What images are resized to; null for as they are.</summary>
    internal int? Resolution { get; }

    /// <summary>What the module takes for black and white.</summary>
    internal (double Black, double White) Range { get; }

    /// <summary>What <c>torch.jit.save</c> wrote.</summary>
    /// <exception cref="IOException">The file is gone, or another one by now.</exception>
    internal byte[] ReadProgram() => _module.ReadProgram();

    /// <inheritdoc/>
    public Tensor Extract(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var input = ImageInput.Convert(images, Range.Black, Range.White, Resolution is { } size ? (size, size) : null);
        return _module.Call(input, "images", GetType()).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the module, as soon as no call uses it.</summary>
    public void Dispose() => _module.Dispose();
}
