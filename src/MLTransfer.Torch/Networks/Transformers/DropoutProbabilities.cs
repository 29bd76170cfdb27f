namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>The probabilities with which training zeroes values.</summary>
/// <param name="Embedding">Of the sum of token and position embeddings.</param>
/// <param name="Attention">Of attention weights.</param>
/// <param name="Residual">Of what attention and feed-forward layers add to the residual stream.</param>
public sealed record DropoutProbabilities(double Embedding, double Attention, double Residual);
