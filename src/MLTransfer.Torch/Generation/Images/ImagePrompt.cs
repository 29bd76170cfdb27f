namespace MLTransfer.Torch.Generation.Images;

/// <summary>What a picture is asked for.</summary>
public sealed record ImagePrompt
{
    /// <summary>Says what is to be seen. Null or empty: nothing is said, as in the training of the null condition.</summary>
    public string? Text { get; init; }

    /// <summary>
    /// A picture of which a part is kept and the rest drawn: [3, side, side], red, green and blue plane from 0 to 1, row by row, of the
    /// network's size. Null for none.
    /// </summary>
    public IReadOnlyList<float>? Pixels { get; init; }

    /// <summary>
    /// For each code of <see cref="Pixels"/>, row by row, whether it is kept; null for what <see cref="ImageGenerationOptions.KeptRows"/>
    /// or <see cref="ImageGenerationOptions.RedrawnShare"/> says.
    /// </summary>
    public IReadOnlyList<bool>? Kept { get; init; }

    /// <summary>Takes the place of <see cref="ImageGenerationOptions.Seed"/>; null for that.</summary>
    public long? Seed { get; init; }

    /// <summary>A caption alone.</summary>
    public static implicit operator ImagePrompt(string? text) => FromText(text);

    /// <summary>A caption alone.</summary>
    public static ImagePrompt FromText(string? text) => new() { Text = text };
}
