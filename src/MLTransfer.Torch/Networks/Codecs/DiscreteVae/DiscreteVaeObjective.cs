namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>What a checkpoint says of its training.</summary>
/// <param name="SmoothL1">Whether the distance is the smooth L1 one; else what the layout has.</param>
/// <param name="StraightThrough">Whether the decoder reads one codeword at each place, and gradients are those of the relaxation.</param>
/// <param name="SecondOrder">Whether those gradients are of second order (ReinMax, arXiv 2304.08612).</param>
/// <param name="Temperature">Of the relaxation, where it stays; null where it falls.</param>
/// <param name="KlWeight">Of the divergence, where it stays; null where it rises.</param>
internal sealed record DiscreteVaeObjective(
    bool SmoothL1 = false, bool StraightThrough = false, bool SecondOrder = false, double? Temperature = null, double? KlWeight = null);
