using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>
/// The features that a TorchScript module gives: a file written by <c>torch.jit.save</c> whose <c>forward</c> takes images and gives [N,
/// width].
/// </summary>
public sealed class TorchScriptFeatureExtractor : IImageFeatureExtractor, IDisposable
{
    private readonly TorchScriptModule _module;
    private readonly int? _resolution;
    private readonly (double Black, double White) _range;

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
        (_module, _resolution, _range) = (new TorchScriptModule(path), resolution, (black, white));
    }

    /// <inheritdoc/>
    public Tensor Extract(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var input = ImageInput.Convert(images, _range.Black, _range.White, _resolution is { } size ? (size, size) : null);
        return _module.Call(input, "images", GetType()).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the module, as soon as no call uses it.</summary>
    public void Dispose() => _module.Dispose();
}
