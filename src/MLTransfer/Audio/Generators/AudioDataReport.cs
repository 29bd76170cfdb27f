using System.Globalization;

namespace MLTransfer;

/// <summary>What an audio generator is trained on, counted before training.</summary>
public sealed record AudioDataReport
{
    /// <summary>How many sounds there are, those held out for evaluation among them.</summary>
    public required int Sounds { get; init; }

    /// <summary>How long they are together.</summary>
    public required double Seconds { get; init; }

    /// <summary>Sounds of which nothing is to be heard: they are trained on like others.</summary>
    public required int SilentSounds { get; init; }

    /// <summary>Sounds with the same samples as an earlier one: they stay, and count twice.</summary>
    public required long DuplicateSounds { get; init; }

    /// <summary>Sounds without a caption.</summary>
    public required int SoundsWithoutText { get; init; }

    /// <summary>How many sounds each speaker has, by name or number; empty where no column says who speaks.</summary>
    public required IReadOnlyDictionary<string, int> SoundsBySpeaker { get; init; }

    /// <summary>One line with all counts.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Sounds} sounds of {Seconds:0.0} seconds, {SilentSounds} silent, {DuplicateSounds} duplicates, "
        + $"{SoundsWithoutText} without a text")
        + (SoundsBySpeaker.Count == 0 ? ""
            : $", {SoundsBySpeaker.Count} speakers with {string.Join(", ", SoundsBySpeaker.Values)} sounds");
}
