using Microsoft.ML.Data;
using TextToImage.Scenes;

namespace TextToImage;

/// <summary>Scenes as images of ML.NET, and back.</summary>
internal static class SceneImages
{
    private const int Side = ScenePicture.Side;

    public static MLImage ToImage(ScenePicture picture)
    {
        var pixels = new byte[4 * Side * Side];
        for (var place = 0; place < Side * Side; place++)
        {
            for (var channel = 0; channel < 3; channel++)
                pixels[4 * place + channel] = picture.Pixels[3 * place + channel];
            pixels[4 * place + 3] = byte.MaxValue;
        }

        return MLImage.CreateFromPixels(Side, Side, MLPixelFormat.Rgba32, pixels);
    }

    public static ScenePicture ToPicture(MLImage image)
    {
        var red = image.PixelFormat == MLPixelFormat.Bgra32 ? 2 : 0;
        var pixels = new byte[3 * Side * Side];
        for (var place = 0; place < Side * Side; place++)
        {
            (pixels[3 * place], pixels[3 * place + 1], pixels[3 * place + 2]) =
                (image.Pixels[4 * place + red], image.Pixels[4 * place + 1], image.Pixels[4 * place + 2 - red]);
        }

        return new ScenePicture(pixels);
    }
}
