using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>
/// How a language model is tuned by preferences (direct preference optimization). Names map one to one onto trl's <c>DPOConfig</c>, and
/// defaults are the same where not said otherwise: <see cref="TrainingOptions.LearningRate"/> is 1e-6, which is for all weights; adapters
/// take about ten times as much. A row is a pair, so a pass of <see cref="TrainingOptions.BatchSize"/> rows reads twice as many texts.
/// </summary>
public sealed record PreferenceTrainingOptions : LanguageTrainingOptions
{
    /// <summary>The defaults.</summary>
    public PreferenceTrainingOptions() => LearningRate = 1e-6;

    /// <summary>What is made small (<c>loss_type</c>).</summary>
    public PreferenceLoss Loss { get; init; } = PreferenceLoss.Sigmoid;

    /// <summary>
    /// How much a difference from the reference model counts: the larger, the closer the model stays to it (<c>beta</c>). Of
    /// <see cref="PreferenceLoss.IdentityPreference"/> it is the tau of the paper.
    /// </summary>
    public double Beta { get; init; } = 0.1;

    /// <summary>
    /// The probability that a pair is the wrong way round, below 0.5 (<c>label_smoothing</c>). For <see cref="PreferenceLoss.Sigmoid"/>
    /// and <see cref="PreferenceLoss.Robust"/>.
    /// </summary>
    public double LabelSmoothing { get; init; }

    /// <summary>What rewards are measured against.</summary>
    public PreferenceReference Reference { get; init; } = PreferenceReference.AdaptersOff;

    /// <summary>
    /// Whether dropout, that of adapters too, stays off in training, as it is in the reference model (<c>disable_dropout</c>).
    /// </summary>
    public bool DisableDropout { get; init; } = true;

    internal override int SequencesPerRow => 2;

    internal override void Check()
    {
        base.Check();
        OptionRange.Defined(nameof(Loss), Loss);
        OptionRange.Positive(nameof(Beta), Beta);
        OptionRange.Defined(nameof(Reference), Reference);
        if (LabelSmoothing is not (>= 0 and < 0.5))
        {
            throw new ArgumentOutOfRangeException(
                nameof(LabelSmoothing), LabelSmoothing, $"{nameof(LabelSmoothing)} must be from 0 to less than 0.5.");
        }

        OptionRange.Holds(
            nameof(LabelSmoothing), LabelSmoothing == 0 || Loss is PreferenceLoss.Sigmoid or PreferenceLoss.Robust,
            $"{nameof(LabelSmoothing)} is {LabelSmoothing}, but {nameof(Loss)} {Loss} has none; take {PreferenceLoss.Sigmoid} or "
            + $"{PreferenceLoss.Robust}.");
        foreach (var (name, isOff) in ((string Name, bool IsOff)[])
        [
            (nameof(LabelSmoothingFactor), LabelSmoothingFactor == 0), (nameof(ZLossWeight), ZLossWeight == 0),
            (nameof(MoveBorders), !MoveBorders),
        ])
        {
            OptionRange.Holds(
                name, isOff, $"{name} is for training on texts; tuning by preferences has no such thing. Leave it out"
                + (name == nameof(LabelSmoothingFactor) ? $", or set {nameof(LabelSmoothing)}." : "."));
        }
    }
}
