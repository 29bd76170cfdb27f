using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;

namespace MLTransfer;

/// <summary>
/// How <see cref="TextPreferenceEstimator"/> tunes a text generator by preferences. <see cref="Training"/> is what trl calls
/// <c>DPOConfig</c>; names of Hugging Face are given in parentheses.
/// </summary>
/// <remarks>
/// The reference model is the base as it is, or <see cref="TextTuningOptions.Lora"/>'s adapters switched off, never a second copy of
/// weights. Adapters of a base that are trained on are no part of it; see <see cref="PreferenceTrainingOptions.Reference"/>.
/// </remarks>
public sealed class TextPreferenceOptions : TextTuningOptions
{
    /// <summary>
    /// The text column of texts that <see cref="ScoreColumnName"/> ranks, in place of columns of chosen and rejected texts: any two rows
    /// of one prompt with different scores make a pair.
    /// </summary>
    public string? RankedColumnName;

    /// <summary>
    /// The column of numbers, or of true and false, that ranks the texts of <see cref="RankedColumnName"/>: the larger, the better. Rows
    /// without a number (NaN) are left out.
    /// </summary>
    public string? ScoreColumnName;

    /// <summary>
    /// How the network is trained: loss and beta, learning rate, number and size of steps, evaluation, checkpoints. Its seed stays as it
    /// is: <see cref="TextTuningOptions.Seed"/> decides.
    /// </summary>
    public PreferenceTrainingOptions Training = new();

    /// <summary>
    /// The most tokens of a prompt with a text, which loses its end (<c>max_length</c>); a pair whose prompt alone is as long is left out.
    /// Of an encoder with a decoder the most that each of the two reads. Null for the model's context length, but no more than trl's 1024.
    /// </summary>
    public int? MaximumLength;

    /// <summary>
    /// Whether the end-of-sequence token follows every text, so that ending there is preferred too. Null: it does where the tokenizer has
    /// one. Chats end as their template writes it: there it follows only where this is true.
    /// </summary>
    public bool? AppendEndOfSequence;

    internal override LanguageTrainingOptions TrainingOptions => Training;

    internal override int? RowLength => MaximumLength;

    internal override void Check()
    {
        base.Check();
        OptionCheck.ColumnName(nameof(RankedColumnName), RankedColumnName);
        OptionCheck.ColumnName(nameof(ScoreColumnName), ScoreColumnName);
    }
}
