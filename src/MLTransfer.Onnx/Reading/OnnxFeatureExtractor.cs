using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Metrics;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading;

/// <summary>
/// The features that ONNX Runtime computes with an ONNX file: one float input of images [N, channels, height, width], and a value [N,
/// width].
/// </summary>
/// <remarks>The file is computed on the processor. A file that fixes its batch at 1 is run image by image.</remarks>
public sealed class OnnxFeatureExtractor : IImageFeatureExtractor, IDisposable
{
    private const int Rank = 4;
    private const long LargestSide = 1 << 13;

    private readonly OnnxFeatures _network;
    private readonly UseCount _uses = new();
    private readonly long _channels; // 0 where the file leaves them open
    private readonly (long Height, long Width)? _size;
    private readonly (double Black, double White) _range;

    /// <summary>Loads the file.</summary>
    /// <param name="path">The file, with its weights inside.</param>
    /// <param name="outputName">
    /// Any value of the graph, such as the one before a classifier's last layer: [N, width], or [N, width, 1, 1] as pooling gives it. Null
    /// for the graph's only output.
    /// </param>
    /// <param name="resolution">What images are resized to, bilinearly; null for the size that the file fixes or, where it leaves that
    /// open, as they are.</param>
    /// <param name="black">What the network takes for black: -1, 0 ...</param>
    /// <param name="white">What the network takes for white: 1, 255 ...</param>
    /// <exception cref="ArgumentException">The graph has no such value or several outputs, or the file fixes another size than
    /// <paramref name="resolution"/>.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no ONNX file, or is damaged.</exception>
    /// <exception cref="NotSupportedException">The input is no batch of images, weights lie in another file, or ONNX Runtime does not run
    /// the graph.</exception>
    public OnnxFeatureExtractor(string path, string? outputName = null, int? resolution = null, double black = -1, double white = 1)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (resolution is not null)
            ArgumentOutOfRangeException.ThrowIfLessThan(resolution.Value, 1, nameof(resolution));
        if (!File.Exists(path))
            throw new FileNotFoundException($"The feature extractor '{path}' does not exist.", path);
        var graph = OnnxGraph.Read(FileKind.Network.Read(path), path, outputName);
        (_channels, _size, _range) = (ReadChannels(graph), ReadSize(graph, resolution), (black, white));
        _network = new OnnxFeatures(graph);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The images have another number of channels than the network takes.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime cannot compute images of this size.</exception>
    /// <exception cref="NotSupportedException">The value is no float tensor of one row an image.</exception>
    public Tensor Extract(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var hold = _uses.Begin(GetType());
        var graph = _network.Graph;
        if (images.dim() != Rank || (_channels > 0 && images.shape[1] != _channels))
        {
            throw new ArgumentException(
                $"{Input(graph)} takes images of shape {Describe(graph.InputDimensions)}; those given have the shape "
                + $"{TensorShape.Describe(images.shape)}.", nameof(images));
        }

        using var scope = NewDisposeScope();
        var input = ImageInput.Convert(images.cpu().to(ScalarType.Float32), _range.Black, _range.White, _size);
        Tensor features;
        try
        {
            features = _network.Forward(input);
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidOperationException(
                $"{Input(graph)} failed on images of shape {TensorShape.Describe(input.shape)}: {exception.Message}", exception);
        }

        var shape = features.shape;
        if (shape.Length < 2 || shape[0] != images.shape[0] || shape[2..].Any(extent => extent != 1))
        {
            throw new NotSupportedException(
                $"The output '{graph.Output}' of the feature extractor '{graph.Location}' has the shape {TensorShape.Describe(shape)} for "
                + $"{images.shape[0]} images; expected [{images.shape[0]}, width]. Name another value of the graph as outputName.");
        }

        return features.flatten(1).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the network, as soon as no call uses it.</summary>
    public void Dispose() => _uses.Dispose(_network.Dispose);

    private static long ReadChannels(OnnxGraph graph)
    {
        var dimensions = graph.InputDimensions;
        if (dimensions is not null && dimensions.Count != Rank)
        {
            throw new NotSupportedException(
                $"{Input(graph)} has the shape {Describe(dimensions)}; a network of images [batch, channels, height, width] is expected.");
        }

        if (graph.BatchSize > 1)
        {
            throw new NotSupportedException(
                $"{Input(graph)} has the shape {Describe(dimensions)}, {graph.BatchSize} images at a time. "
                    + "Export it with a symbolic batch, or with a batch of 1.");
        }

        return dimensions?[1] ?? 0;
    }

    private static (long Height, long Width)? ReadSize(OnnxGraph graph, int? resolution)
    {
        if (graph.InputDimensions is not [_, _, var height, var width])
            (height, width) = (0, 0);
        if (height > LargestSide || width > LargestSide)
        {
            throw new NotSupportedException(
                $"{Input(graph)} has the shape {Describe(graph.InputDimensions)}; images of at most {LargestSide} rows and columns are "
                    + "made.");
        }

        if (resolution is not { } wanted)
            return height > 0 && width > 0 ? (height, width) : null;
        if ((height > 0 && height != wanted) || (width > 0 && width != wanted))
        {
            throw new ArgumentException(
                $"{Input(graph)} has the shape {Describe(graph.InputDimensions)}, but {nameof(resolution)} is {wanted}. Leave it out.",
                nameof(resolution));
        }

        return (wanted, wanted);
    }

    private static string Input(OnnxGraph graph) => $"The input '{graph.Input}' of the feature extractor '{graph.Location}'";

    private static string Describe(IReadOnlyList<long>? dimensions) =>
        dimensions is null ? "[batch, channels, height, width]"
            : $"[{string.Join(", ", dimensions.Select((extent, axis) => extent > 0 ? $"{extent}" : axis == 0 ? "batch" : "?"))}]";
}
