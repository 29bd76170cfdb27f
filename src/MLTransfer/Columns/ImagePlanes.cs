using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>Images as planes of one channel after the other, and back.</summary>
internal static class ImagePlanes
{
    /// <summary>Red, green and blue plane of an image, or one plane of its luma (ITU-R BT.601).</summary>
    public static byte[] Read(MLImage image, int channels)
    {
        var pixels = image.Pixels; // four bytes each
        var count = image.Width * image.Height;
        var (red, blue) = image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);
        var planes = new byte[channels * count];
        for (var i = 0; i < count; i++)
        {
            var (r, g, b) = (pixels[4 * i + red], pixels[4 * i + 1], pixels[4 * i + blue]);
            if (channels == 1)
            {
                planes[i] = (byte)MathF.Round(0.299f * r + 0.587f * g + 0.114f * b);
                continue;
            }

            (planes[i], planes[count + i], planes[2 * count + i]) = (r, g, b);
        }

        return planes;
    }

    /// <summary>An image of one plane or of red, green and blue plane, whose values <paramref name="scaling"/> made.</summary>
    public static MLImage Create(ReadOnlySpan<float> planes, int channels, int height, int width, ImageScaling scaling)
    {
        var count = height * width;
        var pixels = new byte[4 * count];
        for (var channel = 0; channel < 3; channel++)
        {
            var plane = channels == 1 ? 0 : channel;
            for (var i = 0; i < count; i++)
            {
                var value = scaling.ToPixel(plane, planes[plane * count + i]);
                pixels[4 * i + channel] = (byte)Math.Clamp(MathF.Round(value), 0, 255);
            }
        }

        for (var i = 0; i < count; i++)
            pixels[4 * i + 3] = 255;
        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels);
    }
}
