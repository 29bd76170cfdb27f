namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>The probabilities with which training zeroes values.</summary>
/// <param name="Embedding">Of the sum of token and position embeddings.</param>
/// <param name="Attention">Of attention weights.</param>
/// <param name="Residual">Of what attention and feed-forward layers add to the residual stream.</param>
/// <param name="Inner">Of what the last projection of a feed-forward layer reads.</param>
/// <param name="Output">Of what the last block gives, after its norm.</param>
public sealed record DropoutProbabilities(double Embedding, double Attention, double Residual, double Inner = 0, double Output = 0);
