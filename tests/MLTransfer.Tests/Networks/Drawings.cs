using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer.Tests.Networks;

/// <summary>A coloured square somewhere on a dark ground.</summary>
internal sealed class Drawing
{
    /// <summary>Where it lies as a file, for tests that have it as one.</summary>
    public string Opening { get; set; } = "";

    [ImageType(16, 16)]
    public MLImage? Image { get; set; }

    /// <summary>The square's place from 0 to 1: row and column.</summary>
    [VectorType(2)]
    public float[] Place { get; set; } = [];

    /// <summary>The square's colour from 0 to 1.</summary>
    [VectorType(3)]
    public float[] Label { get; set; } = [];

    public string Class { get; set; } = "";

    public bool IsRed { get; set; }

    public float Red { get; set; }
}

internal static class Drawings
{
    public const int Size = 16;

    /// <summary>Drawings by a fixed generator.</summary>
    public static List<Drawing> Make(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
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
                Image = MLImage.CreateFromPixels(Size, Size, MLPixelFormat.Rgba32, pixels),
                Place = [row / (Size - 7f), column / (Size - 7f)],
                Label = [colour[0] / 255f, colour[1] / 255f, colour[2] / 255f],
                Class = colour.Max() == colour[0] ? "red" : colour.Max() == colour[1] ? "green" : "blue",
                IsRed = colour[0] > 127,
                Red = colour[0] / 255f,
            };
        })];
    }

    /// <summary>Drawings as files of a folder.</summary>
    public static List<Drawing> Save(int count, TemporaryFolder folder)
    {
        var drawings = Make(count);
        foreach (var (index, drawing) in drawings.Index())
        {
            drawing.Opening = folder[$"{index}.png"];
            drawing.Image!.Save(drawing.Opening);
        }

        return drawings;
    }
}
