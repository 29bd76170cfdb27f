namespace MLTransfer.Torch.Layers;

/// <summary>Normalizations over the last dimension.</summary>
internal enum NormKind
{
    /// <summary>(x - mean) / sqrt(variance + epsilon) · weight + bias (arXiv 1607.06450).</summary>
    Layer,

    /// <summary>x / sqrt(mean of squares + epsilon) · weight (arXiv 1910.07467).</summary>
    RootMeanSquare,

    /// <summary>The same with 1 + weight (Gemma).</summary>
    RootMeanSquareOnePlus,
}
