namespace MLTransfer.Torch.Metrics;

/// <summary>
/// How well a picture fits its caption, by the embeddings that an image-text model gives both (CLIPScore, arXiv 2104.08718).
/// </summary>
/// <param name="Cosine">The cosine of the angle between the embeddings, from -1 to 1.</param>
public sealed record TextImageScore(double Cosine)
{
    private const double CaptionWeight = 2.5;

    /// <summary>100 times the cosine, 0 where it is negative.</summary>
    public double Score => Math.Max(100 * Cosine, 0);

    /// <summary>2.5 times the cosine, 0 where it is negative: the paper's score, w = 2.5.</summary>
    public double WeightedScore => CaptionWeight * Math.Max(Cosine, 0);

    /// <summary>Compares two embeddings, in double.</summary>
    /// <param name="text">Of the caption, of any length above 0.</param>
    /// <param name="image">Of the picture.</param>
    /// <exception cref="ArgumentException">They differ in width, one has no length, or a number is not finite.</exception>
    public static TextImageScore Of(ReadOnlySpan<float> text, ReadOnlySpan<float> image)
    {
        if (text.Length != image.Length || text.Length == 0)
            throw new ArgumentException($"The embeddings have {text.Length} and {image.Length} values; expected as many of both.");
        double product = 0, textSquares = 0, imageSquares = 0;
        for (var i = 0; i < text.Length; i++)
        {
            product += (double)text[i] * image[i];
            textSquares += (double)text[i] * text[i];
            imageSquares += (double)image[i] * image[i];
        }

        var cosine = product / Math.Sqrt(textSquares) / Math.Sqrt(imageSquares);
        return double.IsFinite(cosine)
            ? new TextImageScore(Math.Clamp(cosine, -1, 1))
            : throw new ArgumentException("An embedding is zero, or has a value that is NaN or infinite.");
    }
}
