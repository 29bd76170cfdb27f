#pragma warning disable CA1720 // The names of the formats are the names of types.

namespace MLTransfer;

/// <summary>
/// The number format of the weights that text is generated with. Training, evaluation and saved files do not depend on it.
/// </summary>
public enum DecodingPrecision
{
    /// <summary>The model's own weights, float32 as a rule: the numbers of the reference.</summary>
    Float32,

    /// <summary>
    /// Weights, keys and values in bfloat16: twice as fast for one sequence, and half as much memory again as the model has.
    /// </summary>
    BFloat16,

    /// <summary>
    /// Weights in int8 with a scale for each output channel: about four times as fast for one sequence, and a quarter as much memory again
    /// as the model has. The loss grows by less than 1% as a rule. CPU only. See <see cref="Torch.Adaptation.WeightQuantization"/>.
    /// </summary>
    Int8,

    /// <summary>
    /// Weights in 4 bits with a scale for each 32 of them: half again as fast as int8 for one sequence of a model that caches do not hold,
    /// and a seventh as much memory again as the model has. The loss grows by less than 3 % as a rule. CPU only. See
    /// <see cref="Torch.Layers.QuantizationFormat"/>.
    /// </summary>
    Int4,
}
