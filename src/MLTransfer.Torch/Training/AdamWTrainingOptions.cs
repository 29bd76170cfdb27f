using System.Text.Json.Serialization;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training;

/// <summary>
/// What a run is told whose optimizer is AdamW where not said otherwise. Other optimizers of Adam's family, and Muon for what is no matrix
/// inside the network, read the same options; weight decay is every optimizer's but Adam's.
/// </summary>
public abstract record AdamWTrainingOptions : EpochTrainingOptions
{
    private protected AdamWTrainingOptions()
    {
    }

    // Orders are those in which saved runs have always had the options.

    /// <summary>
    /// The share of weights that an update removes, times the learning rate (<c>weight_decay</c>); 0 where not said otherwise. Of
    /// transformers biases and layer norms are left out.
    /// </summary>
    [JsonPropertyOrder(-1)]
    public double WeightDecay { get; init; }

    /// <summary>The decay rate of the gradient's running mean (<c>adam_beta1</c>); 0.9 where not said otherwise.</summary>
    [JsonPropertyOrder(-1)]
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>The decay rate of the squared gradient's running mean (<c>adam_beta2</c>); 0.999 where not said otherwise.</summary>
    [JsonPropertyOrder(-1)]
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator (<c>adam_epsilon</c>); 1e-8 where not said otherwise.</summary>
    [JsonPropertyOrder(-1)]
    public double AdamEpsilon { get; init; } = 1e-8;

    internal override AdamCoefficients Adam => new(AdamBeta1, AdamBeta2, AdamEpsilon);

    internal override double Decay => WeightDecay;

    internal override void Check()
    {
        OptionRange.NotNegative(nameof(WeightDecay), WeightDecay);
        OptionRange.FromZeroToLessThanOne(nameof(AdamBeta1), AdamBeta1);
        OptionRange.FromZeroToLessThanOne(nameof(AdamBeta2), AdamBeta2);
        OptionRange.NotNegative(nameof(AdamEpsilon), AdamEpsilon);
        base.Check();
    }
}
