namespace MLTransfer.Torch.Training.Audio;

/// <summary>Music to train on.</summary>
/// <param name="Caption">Says what it is like; null or empty for nothing.</param>
/// <param name="Codes">[codebooks][frames], none delayed, as <see cref="Networks.MusicGen.MusicGenModel.EncodeSound"/> and
/// <see cref="SoundCodeCache"/> make them.</param>
public sealed record MusicExample(string? Caption, IReadOnlyList<int[]> Codes);
