namespace TextToImage.Scenes;

/// <summary>A colour; a channel is from 0 to 255.</summary>
internal readonly record struct Rgb(double Red, double Green, double Blue)
{
    /// <summary>The Euclidean distance of two colours.</summary>
    public double DistanceTo(Rgb other)
    {
        var (red, green, blue) = (Red - other.Red, Green - other.Green, Blue - other.Blue);
        return Math.Sqrt(red * red + green * green + blue * blue);
    }

    /// <summary>A colour of the whole space.</summary>
    public static Rgb Draw(Random random) => new(255 * random.NextDouble(), 255 * random.NextDouble(), 255 * random.NextDouble());

    /// <summary>A colour near to this one.</summary>
    public Rgb Near(Random random, double reach)
    {
        double Moved(double channel) => Math.Clamp(channel + reach * (2 * random.NextDouble() - 1), 0, 255);
        return new(Moved(Red), Moved(Green), Moved(Blue));
    }
}
