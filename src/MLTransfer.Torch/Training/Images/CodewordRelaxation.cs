namespace MLTransfer.Torch.Training.Images;

/// <summary>What the decoder reads of codewords that are drawn at random, so that gradients go through the draw.</summary>
public enum CodewordRelaxation
{
    /// <summary>All codewords, by weights that a temperature brings nearer to one of them (arXiv 1611.01144 and 1611.00712).</summary>
    Soft,

    /// <summary>The one codeword of the largest weight, with the gradient of the weights.</summary>
    StraightThrough,

    /// <summary>The one codeword of the largest weight, with a gradient of second order (ReinMax, arXiv 2304.08612).</summary>
    ReinMax,
}
