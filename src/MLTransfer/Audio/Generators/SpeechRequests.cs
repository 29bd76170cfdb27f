using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Audio.Generators;

/// <summary>What is asked of a VITS where there is no row.</summary>
internal static class SpeechRequests
{
    /// <param name="text">The text.</param>
    /// <param name="voice">The name or the number of a speaker; null for that of the options.</param>
    /// <param name="speakers">The numbers of speakers that have a name.</param>
    /// <param name="speakerCount">The voices of the network.</param>
    /// <param name="seed">Decides what is drawn; null for what the first row of a table draws.</param>
    /// <param name="usualSeed">The transformer's.</param>
    /// <exception cref="ArgumentException">There is no such speaker.</exception>
    public static SpeechRequest Create(
        string text, string? voice, IReadOnlyDictionary<string, int> speakers, int speakerCount, long? seed, long usualSeed)
    {
        var speaker = voice is null ? null : SpeakerFile.Find(speakers, speakerCount, voice);
        if (voice is not null && speaker is null)
        {
            throw new ArgumentException(
                $"There is no voice '{voice}'. The model has the numbers 0 to {speakerCount - 1}"
                + (speakers.Count == 0 ? "." : $", of which some have names: {string.Join(", ", speakers.Keys)}."));
        }

        return new SpeechRequest(text) { Speaker = speaker, Seed = seed ?? (long)SplitMix64.Mix((ulong)usualSeed, 0, 0) };
    }
}
