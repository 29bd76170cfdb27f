namespace MLTransfer.Torch.Numerics;

/// <summary>What is made small beside the cross-entropy of a row of logits.</summary>
/// <param name="Smoothing">
/// The share of the target that all classes have alike (label smoothing, arXiv 1512.00567, section 7): (1 - s) times the target's
/// -ln p plus s times the mean of -ln p over all classes.
/// </param>
/// <param name="ZLoss">The weight of the squared logarithm of the sum of exp(logits) (arXiv 2204.02311, section 5).</param>
internal readonly record struct CrossEntropyTerms(double Smoothing, double ZLoss);
