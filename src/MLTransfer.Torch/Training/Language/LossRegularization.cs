using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training.Language;

/// <summary>What a pass has against overfitting.</summary>
/// <param name="Terms">Of the loss.</param>
/// <param name="Noise">On embeddings; null for none.</param>
internal sealed record LossRegularization(CrossEntropyTerms Terms, EmbeddingNoise? Noise = null);
