using MLTransfer.Torch.Memory;
using SkiaSharp;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>Pictures as PNG files.</summary>
internal static class PngPicture
{
    /// <summary>The content of a file.</summary>
    /// <param name="pixels">uint8, [height, width, 1 or 3].</param>
    public static byte[] Encode(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var (height, width) = (pixels.shape[0], pixels.shape[1]);
        var opaque = full([height, width, 1], 255, ScalarType.Byte);
        var picture = cat([pixels.expand(-1, -1, 3), opaque], 2).contiguous(); // [height, width, 4]
        var info = new SKImageInfo((int)width, (int)height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var image = SKImage.FromPixelCopy(info, NativeTensor.AsSpan<byte>(picture));
        GC.KeepAlive(picture);
        return Encode(image);
    }

    /// <summary>The content of a file whose picture is at most so wide and high.</summary>
    public static byte[] Shrink(byte[] png, int size)
    {
        using var bitmap = SKBitmap.Decode(png);
        if (bitmap is null || Math.Max(bitmap.Width, bitmap.Height) <= size)
            return png;
        var scale = (double)size / Math.Max(bitmap.Width, bitmap.Height);
        var info = new SKImageInfo(
            Math.Max(1, (int)(bitmap.Width * scale)), Math.Max(1, (int)(bitmap.Height * scale)), bitmap.ColorType, bitmap.AlphaType);
        using var small = bitmap.Resize(info, SKFilterQuality.Medium);
        using var image = SKImage.FromBitmap(small);
        return Encode(image);
    }

    private static byte[] Encode(SKImage image)
    {
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        return png.ToArray();
    }
}
