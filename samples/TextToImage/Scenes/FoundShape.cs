namespace TextToImage.Scenes;

/// <summary>A shape that was seen in a picture.</summary>
/// <param name="Colour">The word that is nearest.</param>
/// <param name="Shape">The kind that is nearest.</param>
/// <param name="X">Of its middle, in pixels.</param>
/// <param name="Y">Of its middle, in pixels.</param>
/// <param name="Misfit">How far it is from the kind: the mean square difference of coverage, of its area.</param>
internal sealed record FoundShape(NamedColour Colour, Shape Shape, double X, double Y, double Misfit);
