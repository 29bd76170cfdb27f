using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>Images to train on or to compare with, in memory as bytes.</summary>
public sealed class ImageSet : IDisposable
{
    private readonly Tensor _pixels;
    private readonly Tensor? _labels;

    /// <summary>Copies pixels and labels.</summary>
    /// <param name="pixels">uint8, [N, channels, R, R]: 0 is black and 255 white.</param>
    /// <param name="labels">float32, [N, width], usually one-hot; null where there are none.</param>
    /// <exception cref="ArgumentException">A type or shape is wrong, or there is no image.</exception>
    public ImageSet(Tensor pixels, Tensor? labels = null)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.dtype != ScalarType.Byte || pixels.dim() != 4 || pixels.shape[0] == 0 || pixels.shape[2] != pixels.shape[3])
        {
            throw new ArgumentException($"Pixels are {pixels.dtype} of shape [{string.Join(", ", pixels.shape)}]; "
                + "expected Byte of shape [N, channels, R, R] with one image at least.", nameof(pixels));
        }

        if (labels is not null && (labels.dtype != ScalarType.Float32 || labels.dim() != 2 || labels.shape[0] != pixels.shape[0]))
        {
            throw new ArgumentException($"Labels are {labels.dtype} of shape [{string.Join(", ", labels.shape)}]; "
                + $"expected Float32 of shape [{pixels.shape[0]}, width].", nameof(labels));
        }

        _pixels = pixels.cpu().clone().DetachFromDisposeScope();
        _labels = labels?.cpu().clone().DetachFromDisposeScope();
    }

    /// <summary>The number of images.</summary>
    public int Count => (int)_pixels.shape[0];

    /// <summary>3 for RGB.</summary>
    public int Channels => (int)_pixels.shape[1];

    /// <summary>The width and height of the images.</summary>
    public int Resolution => (int)_pixels.shape[2];

    /// <summary>The width of a label; 0 where there are none.</summary>
    public int LabelWidth => (int)(_labels?.shape[1] ?? 0);

    internal Tensor Pixels => _pixels;

    internal Tensor? Labels => _labels;

    /// <summary>Some images as networks see them: [indices, channels, R, R], -1 for black and 1 for white.</summary>
    internal Tensor Take(ReadOnlySpan<int> indices, Device device)
    {
        using var scope = NewDisposeScope();
        return (_pixels.index_select(0, Indices(indices)).to(device).to(ScalarType.Float32) / 127.5 - 1).MoveToOuterDisposeScope();
    }

    /// <summary>The labels of some images, [indices, width], or null.</summary>
    internal Tensor? TakeLabels(ReadOnlySpan<int> indices, Device device)
    {
        using var scope = NewDisposeScope();
        return _labels?.index_select(0, Indices(indices)).to(device).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the copies.</summary>
    public void Dispose()
    {
        _pixels.Dispose();
        _labels?.Dispose();
    }

    private static Tensor Indices(ReadOnlySpan<int> indices) => tensor(Array.ConvertAll(indices.ToArray(), index => (long)index));
}
