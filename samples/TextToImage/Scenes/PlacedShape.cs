namespace TextToImage.Scenes;

/// <summary>A shape in a picture.</summary>
/// <param name="Shape">Its kind.</param>
/// <param name="Colour">Its colour.</param>
/// <param name="X">Of its middle, in pixels from the left edge.</param>
/// <param name="Y">Of its middle, in pixels from the upper edge.</param>
/// <param name="Radius">Half of its size, in pixels.</param>
internal sealed record PlacedShape(Shape Shape, Rgb Colour, double X, double Y, double Radius);
