namespace TextToImage.Scenes;

/// <summary>A picture of <see cref="Side"/> pixels along each side.</summary>
/// <param name="pixels">Red, green and blue of each pixel, row by row.</param>
internal sealed class ScenePicture(byte[] pixels)
{
    public const int Side = 32;

    private const int Samples = 4;

    public IReadOnlyList<byte> Pixels => pixels;

    public Rgb this[int x, int y]
    {
        get
        {
            var place = 3 * (y * Side + x);
            return new(pixels[place], pixels[place + 1], pixels[place + 2]);
        }
    }

    /// <summary>Draws shapes on a ground, later ones over earlier ones, with smooth edges.</summary>
    public static ScenePicture Render(Rgb ground, IReadOnlyList<PlacedShape> shapes)
    {
        var pixels = new byte[3 * Side * Side];
        for (var place = 0; place < Side * Side; place++)
        {
            var (red, green, blue) = ground;
            foreach (var shape in shapes)
            {
                var share = Coverage(shape, place % Side, place / Side);
                red += share * (shape.Colour.Red - red);
                green += share * (shape.Colour.Green - green);
                blue += share * (shape.Colour.Blue - blue);
            }

            (pixels[3 * place], pixels[3 * place + 1], pixels[3 * place + 2]) = (Byte(red), Byte(green), Byte(blue));
        }

        return new ScenePicture(pixels);

        static byte Byte(double value) => (byte)Math.Round(Math.Clamp(value, 0, 255));
    }

    /// <summary>The share of a pixel that a shape covers.</summary>
    public static double Coverage(PlacedShape shape, int x, int y)
    {
        if (Math.Max(Math.Abs(x + 0.5 - shape.X), Math.Abs(y + 0.5 - shape.Y)) > 1.2 * shape.Radius + 1)
            return 0;
        var inside = 0;
        for (var sample = 0; sample < Samples * Samples; sample++)
        {
            var (right, down) = (x + (sample % Samples + 0.5) / Samples, y + (sample / Samples + 0.5) / Samples);
            inside += shape.Shape.Contains((right - shape.X) / shape.Radius, (down - shape.Y) / shape.Radius) ? 1 : 0;
        }

        return inside / (double)(Samples * Samples);
    }
}
