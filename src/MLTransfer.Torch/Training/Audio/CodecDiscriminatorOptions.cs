namespace MLTransfer.Torch.Training.Audio;

/// <summary>Discriminators of spectrograms that a codec is trained against (arXiv 2210.13438, section 3.4).</summary>
public sealed record CodecDiscriminatorOptions
{
    /// <summary>Samples of a frame, for each discriminator: multiples of 4, at least 64.</summary>
    public IReadOnlyList<int> Windows { get; init; } = [2048, 1024, 512, 256, 128];

    /// <summary>Feature maps of each discriminator.</summary>
    public int Filters { get; init; } = 32;

    /// <summary>What is made small.</summary>
    public CodecAdversarialLoss Loss { get; init; } = CodecAdversarialLoss.Hinge;

    /// <summary>The share of steps that update the discriminators, drawn step by step.</summary>
    public double UpdateShare { get; init; } = 2.0 / 3;

    /// <summary>Steps before discriminators begin to learn and to be heard.</summary>
    public int FirstStep { get; init; }

    /// <summary>The weight of the adversarial loss.</summary>
    public double AdversarialWeight { get; init; } = 3;

    /// <summary>The weight of the difference between what discriminators make of real and of decoded sounds on the way.</summary>
    public double FeatureWeight { get; init; } = 3;

    internal void Check(int segmentSamples)
    {
        ArgumentNullException.ThrowIfNull(Windows);
        if (Windows.Count == 0)
            throw new ArgumentException($"{nameof(Windows)} is empty; expected one or more lengths of frames.");
        foreach (var window in Windows)
        {
            if (window < 64 || window % 4 != 0 || window / 2 >= segmentSamples)
            {
                throw new ArgumentException(
                    $"{nameof(Windows)} has {window}; expected multiples of 4 from 64 to less than twice the {segmentSamples} samples of "
                    + "a segment.");
            }
        }

        OptionRange.AtLeast(nameof(Filters), Filters, 1);
        OptionRange.Defined(nameof(Loss), Loss);
        OptionRange.Between(nameof(UpdateShare), UpdateShare, 0, 1);
        OptionRange.AtLeast(nameof(FirstStep), FirstStep, 0);
        OptionRange.NotNegative(nameof(AdversarialWeight), AdversarialWeight);
        OptionRange.NotNegative(nameof(FeatureWeight), FeatureWeight);
    }
}
