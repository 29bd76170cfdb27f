using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>What music is asked for.</summary>
public sealed record MusicPrompt
{
    /// <summary>Says what the music is like. Null or empty: nothing is said, as in the training of the null condition.</summary>
    public string? Text { get; init; }

    /// <summary>What the music goes on from, at the model's rate and with its channels; null for nothing.</summary>
    public Waveform? Sound { get; init; }

    /// <summary>Takes the place of <see cref="MusicGenerationOptions.Seed"/>; null for that.</summary>
    public long? Seed { get; init; }

    /// <summary>A caption alone.</summary>
    public static implicit operator MusicPrompt(string? text) => FromText(text);

    /// <summary>A caption alone.</summary>
    public static MusicPrompt FromText(string? text) => new() { Text = text };
}
