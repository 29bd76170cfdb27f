namespace MLTransfer.Torch.Sounds;

/// <summary>The pitch of a sound over time.</summary>
/// <param name="Frequencies">Hertz, a frame each; 0 where a frame has no pitch.</param>
/// <param name="VoicedProbabilities">How likely it is that a frame has a pitch, by that frame alone.</param>
/// <param name="HopLength">Samples from the middle of a frame to the next one's; the first is at the first sample.</param>
public sealed record PitchTrack(IReadOnlyList<float> Frequencies, IReadOnlyList<float> VoicedProbabilities, int HopLength);
