using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Music;

namespace MLTransfer.Audio.Generators;

/// <summary>How a transformer makes sounds; part of a saved model.</summary>
internal sealed record AudioGeneration
{
    /// <summary>Of a MusicGen; null for defaults.</summary>
    public MusicGenerationOptions? Music { get; init; }

    /// <summary>Of a VITS; null for defaults.</summary>
    public SpeechOptions? Speech { get; init; }

    /// <summary>Whether sounds of another rate or number of channels are converted.</summary>
    public bool ConvertSounds { get; init; }

    /// <summary>Decides what rows without a seed of their own draw.</summary>
    public long Seed { get; init; }
}
