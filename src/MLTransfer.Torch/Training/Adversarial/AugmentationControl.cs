namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>
/// Adapts the augmentation probability to how much the discriminator overfits (arXiv 2006.06676, section 3.1): after every fourth batch, p
/// rises by a fixed amount where r_t = E[sign(D(real))] is above its target, and falls by as much below. p stays between 0 and 1.
/// </summary>
internal sealed class AugmentationControl(AdversarialTrainingOptions options)
{
    /// <summary>Updates between two adaptations.</summary>
    private const int Interval = 4;

    private int _batches;
    private double _signs;

    /// <summary>The probability of each augmentation.</summary>
    public double Probability { get; private set; } = options.Augmentations == AugmentationGroups.None ? 0
        : options.AugmentationProbability;

    /// <summary>r_t of the last adaptation; null before.</summary>
    public double? RealLogitSign { get; private set; }

    /// <summary>What a saved run keeps.</summary>
    public State Current => new(Probability, RealLogitSign, _batches, _signs);

    /// <summary>Takes the mean sign of the logits of a batch of real images.</summary>
    public void Observe(double meanSign)
    {
        (_batches, _signs) = (_batches + 1, _signs + meanSign);
        if (_batches < Interval)
            return;
        RealLogitSign = _signs / _batches;
        if (options.AugmentationRampImages > 0 && options.Augmentations != AugmentationGroups.None)
        {
            var change = (double)Interval * options.ImagesPerStep / options.AugmentationRampImages;
            Probability = Math.Clamp(Probability + Math.Sign(RealLogitSign.Value - options.AugmentationTarget) * change, 0, 1);
        }

        (_batches, _signs) = (0, 0);
    }

    /// <summary>Goes on from a saved run.</summary>
    public void Restore(State state) =>
        (Probability, RealLogitSign, _batches, _signs) = (state.Probability, state.RealLogitSign, state.Batches, state.Signs);

    /// <param name="Probability">Of each augmentation.</param>
    /// <param name="RealLogitSign">r_t of the last adaptation.</param>
    /// <param name="Batches">Observed since.</param>
    /// <param name="Signs">The sum of their mean signs.</param>
    internal sealed record State(double Probability, double? RealLogitSign, int Batches, double Signs);
}
