namespace MLTransfer.Torch.Generation;

/// <summary>A text to be spoken.</summary>
/// <param name="Text">The text.</param>
public sealed record SpeechRequest(string Text)
{
    /// <summary>The voice; null for that of the options.</summary>
    public int? Speaker { get; init; }

    /// <summary>Decides what is drawn for this text; null for the seed of the options.</summary>
    public long? Seed { get; init; }
}
