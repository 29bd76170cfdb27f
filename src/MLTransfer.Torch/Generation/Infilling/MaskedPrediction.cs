namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>How well a model predicts hidden tokens.</summary>
/// <param name="Loss">The mean of -ln(probability of the hidden token).</param>
/// <param name="Accuracy">The share of the hidden tokens that are the most probable ones.</param>
/// <param name="TokenCount">The hidden tokens.</param>
public sealed record MaskedPrediction(double Loss, double Accuracy, long TokenCount);
