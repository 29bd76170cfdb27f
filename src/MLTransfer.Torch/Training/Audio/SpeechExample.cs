using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>A row that a VITS is trained on: a text and how it sounds.</summary>
/// <param name="Text">What is said.</param>
/// <param name="Sound">Of one channel, at the network's rate.</param>
/// <param name="Speaker">Who says it, from 0; null where the network has one voice.</param>
public sealed record SpeechExample(string Text, Waveform Sound, int? Speaker = null)
{
    /// <summary>Whether the text is phonemes already, where the network reads those.</summary>
    public bool TextIsPhonemes { get; init; }
}
