using Microsoft.Extensions.AI;
using Microsoft.ML.Data;
using SkiaSharp;

namespace MLTransfer.Extensions.AI;

/// <summary>A format of picture files.</summary>
/// <param name="MediaType">Its media type.</param>
/// <param name="Skia">What SkiaSharp calls it.</param>
internal sealed record PictureFormat(string MediaType, SKEncodedImageFormat Skia)
{
    private const int Quality = 95; // where a format loses some

    private static readonly PictureFormat[] s_all =
    [
        new("image/png", SKEncodedImageFormat.Png), new("image/jpeg", SKEncodedImageFormat.Jpeg),
        new("image/webp", SKEncodedImageFormat.Webp),
    ];

    /// <summary>The format of a media type; PNG where none is named.</summary>
    /// <exception cref="NotSupportedException">There is none.</exception>
    public static PictureFormat Of(string? mediaType) => mediaType is null ? s_all[0]
        : Array.Find(s_all, format => string.Equals(format.MediaType, mediaType, StringComparison.OrdinalIgnoreCase))
        ?? throw new NotSupportedException(
            $"MediaType '{mediaType}' is not supported: expected {string.Join(", ", s_all.Select(format => format.MediaType))}.");

    public DataContent Encode(MLImage picture)
    {
        var color = picture.PixelFormat == MLPixelFormat.Bgra32 ? SKColorType.Bgra8888 : SKColorType.Rgba8888;
        var information = new SKImageInfo(picture.Width, picture.Height, color, SKAlphaType.Opaque);
        using var image = SKImage.FromPixelCopy(information, picture.Pixels);
        using var encoded = image.Encode(Skia, Quality);
        return new DataContent(encoded.ToArray(), MediaType);
    }
}
