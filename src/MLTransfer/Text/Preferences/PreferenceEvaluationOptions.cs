using MLTransfer.Text;
using MLTransfer.Text.Preferences;
using MLTransfer.Torch.Training.Preferences;

namespace MLTransfer;

/// <summary>What <c>ml.Generation.EvaluatePreferences</c> measures.</summary>
public sealed class PreferenceEvaluationOptions
{
    /// <summary>The text column of prompts; null for the input column of the generator.</summary>
    public string? PromptColumnName;

    /// <summary>The text column of preferred texts; null for that which the generator was tuned on.</summary>
    public string? ChosenColumnName;

    /// <summary>The text column of the other texts; null for that which the generator was tuned on.</summary>
    public string? RejectedColumnName;

    /// <summary>The text column of texts that <see cref="ScoreColumnName"/> ranks, in place of chosen and rejected ones.</summary>
    public string? RankedColumnName;

    /// <summary>The column of numbers, or of true and false, that ranks the texts of one prompt.</summary>
    public string? ScoreColumnName;

    /// <summary>The loss that is measured (<c>loss_type</c>).</summary>
    public PreferenceLoss Loss = PreferenceLoss.Sigmoid;

    /// <summary>The factor of rewards (<c>beta</c>).</summary>
    public double Beta = 0.1;

    /// <summary>See <see cref="PreferenceTrainingOptions.LabelSmoothing"/> (<c>label_smoothing</c>).</summary>
    public double LabelSmoothing;

    /// <summary>Pairs of a forward pass. Any number gives the same but for rounding.</summary>
    public int BatchSize = 8;

    internal PreferenceObjective Objective => new(Loss, Beta, LabelSmoothing);

    internal void Check()
    {
        PreferenceColumns.Check(ChosenColumnName, RejectedColumnName, RankedColumnName, ScoreColumnName, areNeeded: false);
        OptionCheck.ColumnName(nameof(PromptColumnName), PromptColumnName);
        new PreferenceTrainingOptions { Loss = Loss, Beta = Beta, LabelSmoothing = LabelSmoothing, BatchSize = BatchSize }.Check();
    }

    /// <summary>The columns that are read.</summary>
    /// <param name="own">Those of the generator; null where it has none.</param>
    /// <exception cref="ArgumentException">A column is named neither here nor by the generator.</exception>
    internal TextGeneratorColumns ColumnsOf(TextGeneratorColumns? own)
    {
        var prompt = PromptColumnName ?? own?.Input ?? throw new ArgumentException(
            $"A model by itself has no column of prompts: set {nameof(PromptColumnName)}.");
        var isNamed = (ChosenColumnName ?? RankedColumnName) is not null;
        if (!isNamed && own?.ArePreferences != true)
        {
            throw new ArgumentException(
                $"The generator was not tuned by preferences: set {nameof(ChosenColumnName)} and {nameof(RejectedColumnName)}, or "
                + $"{nameof(RankedColumnName)} and {nameof(ScoreColumnName)}.");
        }

        return new TextGeneratorColumns
        {
            Input = prompt,
            Output = prompt,
            SequencesPerPrompt = 1,
            Chat = own?.Chat,
            Completion = isNamed ? ChosenColumnName ?? RankedColumnName : own!.Completion,
            Rejected = isNamed ? RejectedColumnName : own!.Rejected,
            Score = isNamed ? ScoreColumnName : own!.Score,
        };
    }
}
