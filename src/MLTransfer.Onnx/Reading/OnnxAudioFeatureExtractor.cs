using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading;

/// <summary>
/// The features that ONNX Runtime computes with an ONNX file: one float input of sounds [N, samples] or [N, channels, samples], and a value
/// [N, width] or [N, parts, width].
/// </summary>
/// <remarks>
/// The file is computed on the processor. Where it fixes the number of samples, sounds are cut into windows of so many, what is left is
/// dropped, and a sound that is shorter is filled up with silence. A file that fixes its batch at 1 is run window by window.
/// </remarks>
public sealed class OnnxAudioFeatureExtractor : IAudioFeatureExtractor, IDisposable
{
    private const long LongestWindow = 1 << 28;

    private readonly OnnxFeatures _network;
    private readonly UseCount _uses = new();
    private readonly long? _window;
    private readonly bool _hasChannelAxis;

    /// <summary>Loads the file.</summary>
    /// <param name="path">The file, with its weights inside.</param>
    /// <param name="sampleRate">Frames a second of the sounds that it takes.</param>
    /// <param name="outputName">Any value of the graph, such as the one before a classifier's last layer; null for the graph's only
    /// output.</param>
    /// <exception cref="ArgumentException">The graph has no such value or several outputs.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no ONNX file, or is damaged.</exception>
    /// <exception cref="NotSupportedException">The input is no batch of sounds, weights lie in another file, or ONNX Runtime does not run
    /// the graph.</exception>
    public OnnxAudioFeatureExtractor(string path, int sampleRate, string? outputName = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRate, 1);
        if (!File.Exists(path))
            throw new FileNotFoundException($"The feature extractor '{path}' does not exist.", path);
        var graph = OnnxGraph.Read(FileKind.Network.Read(path), path, outputName);
        var dimensions = graph.InputDimensions;
        if (dimensions is not { Count: 2 or 3 } || graph.BatchSize > 1 || dimensions[^1] > LongestWindow
            || (dimensions.Count == 3 && dimensions[1] > Waveform.MostChannels))
        {
            var extents = dimensions?.Select(extent => extent > 0 ? $"{extent}" : "?");
            var found = extents is null ? "unknown" : $"[{string.Join(", ", extents)}]";
            throw new NotSupportedException(
                $"The input '{graph.Input}' of the feature extractor '{path}' has the shape {found}; expected sounds [batch, samples] or "
                + "[batch, channels, samples], with a symbolic batch or a batch of 1.");
        }

        SampleRate = sampleRate;
        _hasChannelAxis = dimensions.Count == 3;
        Channels = _hasChannelAxis ? (int)Math.Max(1, dimensions[1]) : 1;
        _window = dimensions[^1] > 0 ? dimensions[^1] : null;
        _network = new OnnxFeatures(graph);
    }

    /// <inheritdoc/>
    public int SampleRate { get; }

    /// <inheritdoc/>
    public int Channels { get; }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">ONNX Runtime cannot compute sounds of this length.</exception>
    /// <exception cref="NotSupportedException">The value is no float tensor of rows.</exception>
    public Tensor Extract(Tensor sound)
    {
        ArgumentNullException.ThrowIfNull(sound);
        using var hold = _uses.Begin(GetType());
        using var scope = NewDisposeScope();
        var input = AudioInput.Cut(sound.cpu().to(ScalarType.Float32), _window, _hasChannelAxis);
        var extractor = $"The output '{_network.Graph.Output}' of the feature extractor '{_network.Graph.Location}'";
        return AudioInput.Rows(_network.Forward(input), input.shape[0], extractor).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the network, as soon as no call uses it.</summary>
    public void Dispose() => _uses.Dispose(_network.Dispose);
}
