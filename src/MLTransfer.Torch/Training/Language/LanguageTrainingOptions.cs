namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// How a language model is trained. Names map one to one onto Hugging Face's <c>TrainingArguments</c>, and defaults are the same where not
/// said otherwise: <see cref="TrainingOptions.LearningRate"/> is 5e-5 and <see cref="EpochTrainingOptions.EvaluationBatchSize"/> 8.
/// </summary>
public sealed record LanguageTrainingOptions : EpochTrainingOptions
{
    /// <summary>The defaults.</summary>
    public LanguageTrainingOptions() => (LearningRate, EvaluationBatchSize) = (5e-5, 8);

    /// <summary>AdamW's decoupled weight decay; biases and layer norms are left out (<c>weight_decay</c>).</summary>
    public double WeightDecay { get; init; }

    /// <summary>AdamW's decay rate of the gradient's running mean (<c>adam_beta1</c>).</summary>
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay rate of the squared gradient's running mean (<c>adam_beta2</c>).</summary>
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>Added to AdamW's denominator (<c>adam_epsilon</c>).</summary>
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>
    /// Whether a block's intermediate results are computed again in the backward pass instead of kept: much less memory for a third more
    /// computation (<c>gradient_checkpointing</c>).
    /// </summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>
    /// Whether every epoch goes through rows of similar length together, so that little of a batch is padding (<c>group_by_length</c>): in
    /// random order, sorted by length within blocks of 50 steps, the longest row of all first. Of no use for rows of equal length, such as
    /// packed ones. Needs <see cref="EpochTrainingOptions.Shuffle"/>.
    /// </summary>
    public bool GroupByLength { get; init; }

    internal override void Check()
    {
        base.Check();
        OptionRange.NotNegative(nameof(WeightDecay), WeightDecay);
        OptionRange.FromZeroToLessThanOne(nameof(AdamBeta1), AdamBeta1);
        OptionRange.FromZeroToLessThanOne(nameof(AdamBeta2), AdamBeta2);
        OptionRange.NotNegative(nameof(AdamEpsilon), AdamEpsilon);
        if (GroupByLength && !Shuffle)
            throw new ArgumentException($"{nameof(GroupByLength)} makes a random order of its own; it needs {nameof(Shuffle)}.",
                nameof(GroupByLength));
    }
}
