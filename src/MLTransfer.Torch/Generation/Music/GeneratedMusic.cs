using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>Music that was generated.</summary>
/// <param name="Sound">The prompt's sound, made of its codes, and what follows it.</param>
/// <param name="Codes">[codebooks][frames], none delayed; those of the prompt first.</param>
/// <param name="PromptFrames">How many of the frames are the prompt's.</param>
public sealed record GeneratedMusic(Waveform Sound, IReadOnlyList<int[]> Codes, int PromptFrames);
