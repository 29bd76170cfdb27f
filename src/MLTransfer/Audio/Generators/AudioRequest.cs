using MLTransfer.Torch.Sounds;

namespace MLTransfer.Audio.Generators;

/// <summary>What a row asks for.</summary>
/// <param name="Text">A caption, or what is to be said; null for none.</param>
/// <param name="Sound">What music goes on from; null for nothing.</param>
/// <param name="Speaker">The voice; null for that of the options.</param>
/// <param name="Seed">Decides what is drawn.</param>
internal sealed record AudioRequest(string? Text, Waveform? Sound, int? Speaker, long Seed);
