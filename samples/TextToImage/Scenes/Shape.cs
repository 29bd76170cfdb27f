namespace TextToImage.Scenes;

/// <summary>A kind of shape.</summary>
/// <param name="Name">As captions have it.</param>
/// <param name="Plural">Of several.</param>
/// <param name="Contains">Whether a point is in the shape: from -1 to 1 to the right and down from its middle.</param>
internal sealed record Shape(string Name, string Plural, Func<double, double, bool> Contains)
{
    public static readonly Shape Circle = new("circle", "circles", static (x, y) => x * x + y * y <= 1);

    public static readonly Shape Square = new("square", "squares", static (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) <= 0.9);

    public static readonly Shape Triangle = new(
        "triangle", "triangles", static (x, y) => y <= 0.85 && Math.Abs(x) <= 0.58 * (y + 1));

    public static readonly Shape Diamond = new("diamond", "diamonds", static (x, y) => Math.Abs(x) + Math.Abs(y) <= 1.1);

    public static readonly Shape Cross = new(
        "cross", "crosses", static (x, y) => Math.Min(Math.Abs(x), Math.Abs(y)) <= 0.34 && Math.Max(Math.Abs(x), Math.Abs(y)) <= 1);

    public static readonly Shape Ring = new("ring", "rings", static (x, y) => x * x + y * y is <= 1 and >= 0.27);

    /// <summary>All that there is a word for.</summary>
    public static readonly IReadOnlyList<Shape> All = [Circle, Square, Triangle, Diamond, Cross, Ring];

    /// <summary>A shape that there is no word for: its edge goes through a few points around its middle, and it may have a hole.</summary>
    public static Shape Draw(Random random)
    {
        var corners = random.Next(3, 10);
        var distances = Enumerable.Range(0, corners).Select(_ => 0.45 + 0.6 * random.NextDouble()).ToArray();
        var turned = random.NextDouble();
        var hole = random.Next(4) == 0 ? 0.3 + 0.25 * random.NextDouble() : 0;
        return new("shape", "shapes", (x, y) =>
        {
            var place = (Math.Atan2(y, x) / Math.Tau + 1 + turned) % 1 * corners;
            var corner = (int)place % corners;
            var edge = distances[corner] + (place - Math.Floor(place)) * (distances[(corner + 1) % corners] - distances[corner]);
            var distance = Math.Sqrt(x * x + y * y);
            return distance <= edge && distance >= hole;
        });
    }

    public override string ToString() => Name;
}
