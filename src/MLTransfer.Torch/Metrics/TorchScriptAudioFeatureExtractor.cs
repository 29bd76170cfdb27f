using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>
/// The features that a TorchScript module gives: a file written by <c>torch.jit.save</c> whose <c>forward</c> takes sounds [N, samples] or
/// [N, channels, samples] and gives [N, width] or [N, parts, width].
/// </summary>
public sealed class TorchScriptAudioFeatureExtractor : IAudioFeatureExtractor, IDisposable
{
    private readonly TorchScriptModule _module;
    private readonly int? _windowSamples;
    private readonly bool _hasChannelAxis;

    /// <summary>Loads the module. TorchScript is a program of its own, without access to files or processes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sampleRate">Frames a second of the sounds that it takes.</param>
    /// <param name="windowSamples">
    /// Samples that it takes at once: sounds are cut into windows of so many, what is left is dropped, and a sound that is shorter is
    /// filled
    /// up with silence. Null for whole sounds.
    /// </param>
    /// <param name="channels">The channels of sounds; null for [N, samples] of one, without an axis of channels.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no TorchScript module, or it is a device or a pipe.</exception>
    public TorchScriptAudioFeatureExtractor(string path, int sampleRate, int? windowSamples = null, int? channels = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(windowSamples ?? 1, 1, nameof(windowSamples));
        ArgumentOutOfRangeException.ThrowIfLessThan(channels ?? 1, 1, nameof(channels));
        (SampleRate, Channels, _windowSamples, _hasChannelAxis) = (sampleRate, channels ?? 1, windowSamples, channels is not null);
        _module = new TorchScriptModule(path);
    }

    /// <inheritdoc/>
    public int SampleRate { get; }

    /// <inheritdoc/>
    public int Channels { get; }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The module failed.</exception>
    /// <exception cref="NotSupportedException">The module gave another shape.</exception>
    public Tensor Extract(Tensor sound)
    {
        ArgumentNullException.ThrowIfNull(sound);
        using var scope = NewDisposeScope();
        var input = AudioInput.Cut(sound, _windowSamples, _hasChannelAxis);
        return AudioInput.Rows(_module.Call(input, "sounds", GetType()), input.shape[0], $"{_module}").MoveToOuterDisposeScope();
    }

    /// <summary>Frees the module, as soon as no call uses it.</summary>
    public void Dispose() => _module.Dispose();
}
