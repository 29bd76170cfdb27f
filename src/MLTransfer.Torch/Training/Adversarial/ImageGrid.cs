using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>Many images as one PNG.</summary>
public static class ImageGrid
{
    /// <summary>Writes a file, replacing an existing one.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="images">[N, channels, R, R] with 1 or 3 channels, -1 for black and 1 for white; values beyond are cut off.</param>
    /// <param name="columns">Images in a row.</param>
    /// <exception cref="ArgumentException">The shape is wrong.</exception>
    public static void Write(string path, Tensor images, int columns)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (images.dim() != 4 || images.shape[0] == 0 || images.shape[1] is not (1 or 3))
            throw new ArgumentException(
                $"Images have shape [{string.Join(", ", images.shape)}]; expected [N, 1 or 3, R, R].", nameof(images));

        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (count, height, width) = ((int)images.shape[0], (int)images.shape[2], (int)images.shape[3]);
        columns = Math.Min(columns, count);
        var rows = (count + columns - 1) / columns;
        var missing = rows * columns - count;
        var bytes = ((images.cpu().to(ScalarType.Float32).clamp(-1, 1) + 1) * 127.5).round().to(ScalarType.Byte).expand(-1, 3, -1, -1);
        if (missing > 0)
            bytes = cat([bytes, zeros([missing, 3, height, width], ScalarType.Byte)], 0);

        // [rows, columns, 3, H, W] to [rows H, columns W, 3]
        var picture = bytes.view(rows, columns, 3, height, width).permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, 3);
        var png = PngPicture.Encode(picture);
        AtomicFile.Write(path, stream => stream.Write(png));
    }
}
