using MLTransfer.Torch.Generation.Music;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// How a MusicGen is trained. Names map one to one onto Hugging Face's <c>TrainingArguments</c>, and defaults are the same where not said
/// otherwise: <see cref="TrainingOptions.LearningRate"/> is 5e-5, <see cref="TrainingOptions.BatchSize"/> 2.
/// </summary>
public sealed record MusicTrainingOptions : AdamWTrainingOptions
{
    /// <summary>The defaults.</summary>
    public MusicTrainingOptions() => (LearningRate, BatchSize) = (5e-5, 2);

    /// <summary>Whether a block's intermediate results are computed again in the backward pass instead of kept: much less memory for a
    /// third more computation (<c>gradient_checkpointing</c>).</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>
    /// How often captions are left out, so that the model goes on knowing music without one, which guidance needs. 0.2, as in the paper;
    /// transformers leaves none out. The seed, the epoch and the row alone decide.
    /// </summary>
    public double ConditionDropout { get; init; } = 0.2;

    /// <summary>What captions are left out of together.</summary>
    public ConditionDropoutUnit ConditionDropoutUnit { get; init; }

    /// <summary>
    /// Whether the text encoder is trained beside the decoder, as that of a new model must be; else it stays as it is, as in the paper. Not
    /// with adapters, whose files have no weights of a text encoder.
    /// </summary>
    public bool TrainTextEncoder { get; init; }

    /// <summary>Longer music becomes several rows of this length and a shorter one. As in the pretraining, 30.</summary>
    public double MaximumSeconds { get; init; } = 30;

    /// <summary>
    /// Captions that the model makes music from before the first step and at each evaluation, or where there are no validation rows as
    /// often; the sounds go to the progress, to <c>answers.jsonl</c> and <c>run.html</c>. They do not change what is trained.
    /// </summary>
    public IReadOnlyList<string> SamplePrompts { get; init; } = [];

    /// <summary>How music is made for <see cref="SamplePrompts"/>; null for the defaults. Where it has no seed,
    /// <see cref="TrainingOptions.Seed"/> decides what is drawn.</summary>
    public MusicGenerationOptions? SampleGeneration { get; init; }

    internal override IEnumerable<string> IrrelevantToWeights =>
        base.IrrelevantToWeights.Concat([nameof(SamplePrompts), nameof(SampleGeneration)]);

    internal override void Check()
    {
        base.Check();
        ArgumentNullException.ThrowIfNull(SamplePrompts);
        if (SamplePrompts.Contains(null!))
            throw new ArgumentException($"{nameof(SamplePrompts)} holds a null; expected captions.", nameof(SamplePrompts));
        SampleGeneration?.Check();
        OptionRange.Between(nameof(ConditionDropout), ConditionDropout, 0, 1);
        OptionRange.Defined(nameof(ConditionDropoutUnit), ConditionDropoutUnit);
        OptionRange.Positive(nameof(MaximumSeconds), MaximumSeconds);
    }
}
