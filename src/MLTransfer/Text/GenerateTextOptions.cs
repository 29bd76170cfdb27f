using MLTransfer.Torch.Generation;

namespace MLTransfer.Text;

/// <summary>How a transformer generates text, and which columns it makes.</summary>
public class GenerateTextOptions
{
    /// <summary>Length, sampling, beams, stop strings and seed of generation. Without a seed it takes that of the <c>MLContext</c>.</summary>
    public GenerationOptions Generation = new();

    /// <summary>Prompts that are continued together. Any number gives the same texts; more are faster and take more memory.
    /// It goes before <see cref="GenerationOptions.BatchSize"/>.</summary>
    public int GenerationBatchSize = 8;

    /// <summary>
    /// The column for the generated tokens' ids, a vector of <see cref="int"/> of variable length; null for none. Needs one sequence a prompt.
    /// </summary>
    public string? TokenIdsColumnName;

    /// <summary>
    /// The column for the natural logarithms of the generated tokens' probabilities, a vector of <see cref="float"/> of variable length;
    /// null for none. Needs one sequence a prompt.
    /// </summary>
    public string? LogProbabilitiesColumnName;

    /// <summary>
    /// The number format that texts are generated with. Other than <see cref="DecodingPrecision.Float32"/>, the transformer makes a second
    /// network of that format when it generates first, beside the one that is evaluated and saved. A saved model file keeps the choice.
    /// </summary>
    public DecodingPrecision DecodingPrecision = DecodingPrecision.Float32;

    /// <summary>The number format in which a saved model file holds the weights.</summary>
    public WeightType WeightType = WeightType.Float32;

    internal virtual void Check()
    {
        if (Generation is null)
            throw new ArgumentException($"{nameof(Generation)} must not be null.", nameof(Generation));
        Generation.Check();
        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        OptionCheck.Defined(nameof(DecodingPrecision), DecodingPrecision);
        OptionCheck.Defined(nameof(WeightType), WeightType);
        OptionCheck.ColumnName(nameof(TokenIdsColumnName), TokenIdsColumnName);
        OptionCheck.ColumnName(nameof(LogProbabilitiesColumnName), LogProbabilitiesColumnName);
        if (Generation.SequencesPerPrompt > 1 && (TokenIdsColumnName ?? LogProbabilitiesColumnName) is not null)
        {
            var option = TokenIdsColumnName is not null ? nameof(TokenIdsColumnName) : nameof(LogProbabilitiesColumnName);
            throw new ArgumentException(
                $"{option} needs {nameof(GenerationOptions.SequencesPerPrompt)} = 1; it is {Generation.SequencesPerPrompt}.", option);
        }
    }
}
