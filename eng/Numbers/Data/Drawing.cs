using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Numbers.Data;

/// <summary>A coloured square somewhere on a dark ground.</summary>
internal sealed class Drawing
{
    private const int Size = 16;

    public int Number { get; set; }

    [ImageType(Size, Size)]
    public MLImage? Image { get; set; }

    /// <summary>The square's place from 0 to 1: row and column.</summary>
    [VectorType(2)]
    public float[] Place { get; set; } = [];

    /// <summary>From 0 to 1.</summary>
    [VectorType(3)]
    public float[] Colour { get; set; } = [];

    public string Class { get; set; } = "";

    public static List<Drawing> Make(int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(number =>
        {
            var (row, column) = (random.Next(Size - 7), random.Next(Size - 7));
            byte[] colour = [(byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)];
            var pixels = new byte[4 * Size * Size];
            for (var i = 0; i < Size * Size; i++)
            {
                var inside = i / Size >= row && i / Size < row + 7 && i % Size >= column && i % Size < column + 7;
                for (var channel = 0; channel < 3; channel++)
                    pixels[4 * i + channel] = inside ? colour[channel] : (byte)20;
                pixels[4 * i + 3] = 255;
            }

            return new Drawing
            {
                Number = number,
                Image = MLImage.CreateFromPixels(Size, Size, MLPixelFormat.Rgba32, pixels),
                Place = [row / (Size - 7f), column / (Size - 7f)],
                Colour = [colour[0] / 255f, colour[1] / 255f, colour[2] / 255f],
                Class = number < 3 ? ((string[])["red", "green", "blue"])[number] : colour.Max() == colour[0] ? "red"
                    : colour.Max() == colour[1] ? "green" : "blue",
            };
        })];
    }
}
