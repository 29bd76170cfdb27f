namespace MLTransfer.Torch.Generation.Music;

/// <summary>How far the generation of music is.</summary>
/// <param name="Frames">Columns of codes that are generated, of all prompts.</param>
/// <param name="TotalFrames">The same at the end.</param>
/// <param name="Elapsed">Since the call began.</param>
public sealed record MusicGenerationProgress(long Frames, long TotalFrames, TimeSpan Elapsed);
