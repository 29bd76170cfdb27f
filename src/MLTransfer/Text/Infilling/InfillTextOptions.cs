using MLTransfer.Torch.Generation.Infilling;

namespace MLTransfer;

/// <summary>How a transformer fills the masks of texts, and which columns it makes.</summary>
public class InfillTextOptions
{
    /// <summary>
    /// Order of filling, candidates, sampling, rewriting and seed. Without a seed it takes that of the <c>MLContext</c>. Null: as
    /// published beside the model (<c>infilling_config.json</c>), else the defaults of <see cref="InfillingOptions"/>.
    /// </summary>
    public InfillingOptions? Infilling;

    /// <summary>
    /// The column for the tokens that the masks were filled with, from left to right, as they read: a vector of texts of variable length;
    /// null for none.
    /// </summary>
    public string? TokensColumnName;

    /// <summary>
    /// The column for the natural logarithms of these tokens' probabilities, a vector of <see cref="float"/> of variable length; null for
    /// none.
    /// </summary>
    public string? LogProbabilitiesColumnName;

    /// <summary>
    /// The column for the most probable tokens of each mask, as they read: a vector of texts with
    /// <see cref="InfillingOptions.CandidateCount"/> for the first mask, as many for the second and so on; null for none.
    /// </summary>
    public string? CandidatesColumnName;

    /// <summary>
    /// The column for the natural logarithms of the probabilities of these tokens, a vector of <see cref="float"/> of the same length; null
    /// for none.
    /// </summary>
    public string? CandidateLogProbabilitiesColumnName;

    /// <summary>
    /// The number format that masks are filled with. Other than <see cref="DecodingPrecision.Float32"/>, the transformer makes a second
    /// network of that format when it fills first, beside the one that is evaluated and saved. A saved model file keeps the choice.
    /// </summary>
    public DecodingPrecision DecodingPrecision = DecodingPrecision.Float32;

    /// <summary>The number format in which a saved model file holds the weights.</summary>
    public WeightType WeightType = WeightType.Float32;

    internal virtual void Check()
    {
        Infilling?.Check();
        OptionCheck.ColumnName(nameof(TokensColumnName), TokensColumnName);
        OptionCheck.ColumnName(nameof(LogProbabilitiesColumnName), LogProbabilitiesColumnName);
        OptionCheck.ColumnName(nameof(CandidatesColumnName), CandidatesColumnName);
        OptionCheck.ColumnName(nameof(CandidateLogProbabilitiesColumnName), CandidateLogProbabilitiesColumnName);
        OptionCheck.Defined(nameof(DecodingPrecision), DecodingPrecision);
        OptionCheck.Defined(nameof(WeightType), WeightType);
    }
}
