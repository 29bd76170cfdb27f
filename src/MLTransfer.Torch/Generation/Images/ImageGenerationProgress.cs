namespace MLTransfer.Torch.Generation.Images;

/// <summary>How far the generation of pictures is.</summary>
/// <param name="Codes">Codes that are written, of all pictures.</param>
/// <param name="TotalCodes">The same at the end.</param>
/// <param name="Elapsed">Since the call began.</param>
public sealed record ImageGenerationProgress(long Codes, long TotalCodes, TimeSpan Elapsed);
