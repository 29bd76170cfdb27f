namespace MLTransfer.Torch.Generation;

/// <summary>A text as a vector.</summary>
/// <param name="Vector">[width], of length 1.</param>
/// <param name="TokenCount">The tokens that were read, special ones among them.</param>
public sealed record TextEmbedding(float[] Vector, int TokenCount);
