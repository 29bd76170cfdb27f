using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Optimizers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// How a language model is trained. Names map one to one onto Hugging Face's <c>TrainingArguments</c>, and defaults are the same where not
/// said otherwise: <see cref="TrainingOptions.LearningRate"/> is 5e-5 and <see cref="EpochTrainingOptions.EvaluationBatchSize"/> 8.
/// </summary>
public record LanguageTrainingOptions : AdamWTrainingOptions
{
    /// <summary>The defaults.</summary>
    public LanguageTrainingOptions() => (LearningRate, EvaluationBatchSize) = (5e-5, 8);

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

    /// <summary>
    /// Whether every epoch cuts the text into rows at other places: what stood at the beginning of a row, with nothing before it, stands in
    /// its middle the next time. Needs rows that are one text cut into blocks, as <c>run_clm.py</c> makes them.
    /// </summary>
    public bool MoveBorders { get; init; }

    /// <summary>
    /// The share that a running mean of the weights keeps at each step, such as 0.99; 0 for none. The mean is what is evaluated, and what
    /// the model ends with; checkpoints are of the weights themselves. It keeps less in the first steps: (1 + t) / (10 + t) after step t.
    /// </summary>
    public double WeightAverageDecay { get; init; }

    /// <summary>
    /// By how much blocks learn slower than those behind them: of n blocks the one after i others learns at the learning rate times this to
    /// the power of n - i, embeddings to that of n + 1; 1 for all alike.
    /// </summary>
    public double LayerRateDecay { get; init; } = 1;

    /// <summary>
    /// The share of each target that all tokens of the vocabulary have alike (label smoothing, arXiv 1512.00567;
    /// <c>label_smoothing_factor</c>). The loss of a step is a mean over predicted tokens then, as transformers' is; evaluations measure
    /// the cross-entropy without it.
    /// </summary>
    public double LabelSmoothingFactor { get; init; }

    /// <summary>
    /// Noise on the embeddings of tokens in training (NEFTune, arXiv 2310.05914; <c>neftune_noise_alpha</c>): uniform, up to this divided
    /// by the root of a row's length times the width. 0 for none; the paper has 5 to 15.
    /// </summary>
    public double NeftuneNoiseAlpha { get; init; }

    /// <summary>
    /// The weight of the squared logarithm of the sum of exp(logits), a loss that keeps logits from drifting (arXiv 2204.02311, which has
    /// 1e-4); 0 for none.
    /// </summary>
    public double ZLossWeight { get; init; }

    /// <summary>
    /// What frozen matrices are kept in while the model is trained: the base under LoRA adapters (QLoRA, arXiv 2305.14314), or frozen
    /// blocks; null for what they are. Output heads are kept in <see cref="Layers.FrozenFormat.Int8"/> in any case. Matrices become
    /// numbers of the type of products part by part; those of the base wait in their file, so that base, merged weights and saved models
    /// have full precision. On the CPU.
    /// </summary>
    public FrozenFormat? FrozenFormat { get; init; }

    /// <summary>
    /// Texts that the model continues before the first step and at each evaluation, or where there are no validation rows as often; the
    /// answers go to the progress, to <c>answers.jsonl</c> and <c>run.html</c>. They do not change what is trained. Of a model that is
    /// trained
    /// on chats they are chats as JSON, or what a user says.
    /// </summary>
    public IReadOnlyList<string> SamplePrompts { get; init; } = [];

    /// <summary>
    /// How <see cref="SamplePrompts"/> are continued; null for the generation options of the estimator, or of the trainer alone the
    /// defaults of <see cref="GenerationOptions"/>. Where it has no seed, <see cref="TrainingOptions.Seed"/> decides what is drawn.
    /// </summary>
    public GenerationOptions? SampleGeneration { get; init; }

    /// <summary>
    /// Whether frozen matrices that are kept in bfloat16 or float16 take less memory than float32 ones. In float32 the backward pass keeps
    /// each converted one, but where blocks are computed twice it is those of a single block.
    /// </summary>
    internal bool ComputesWithNarrowMatrices(Device device) =>
        Precision.MayBeBFloat16(device) || GradientCheckpointing || FrozenFormat is not null;

    /// <summary>The sequences of tokens that a row of training consists of.</summary>
    internal virtual int SequencesPerRow => 1;

    internal override IEnumerable<string> IrrelevantToWeights =>
        base.IrrelevantToWeights.Concat([nameof(SamplePrompts), nameof(SampleGeneration)]);

    private protected override IEnumerable<string> SwitchedOff => base.SwitchedOff.Concat(
        from option in ((string Name, bool IsOff)[])
        [
            (nameof(MoveBorders), !MoveBorders), (nameof(WeightAverageDecay), WeightAverageDecay == 0),
            (nameof(LayerRateDecay), LayerRateDecay == 1), (nameof(LabelSmoothingFactor), LabelSmoothingFactor == 0),
            (nameof(NeftuneNoiseAlpha), NeftuneNoiseAlpha == 0), (nameof(ZLossWeight), ZLossWeight == 0),
            (nameof(FrozenFormat), FrozenFormat is null),
        ]
        where option.IsOff
        select option.Name);

    internal override void Check()
    {
        base.Check();
        ArgumentNullException.ThrowIfNull(SamplePrompts);
        if (SamplePrompts.Contains(null!))
            throw new ArgumentException($"{nameof(SamplePrompts)} holds a null; expected texts.", nameof(SamplePrompts));
        SampleGeneration?.Check();
        if (FrozenFormat is { } format && !Enum.IsDefined(format))
            throw new ArgumentOutOfRangeException(nameof(FrozenFormat), format, $"{nameof(FrozenFormat)} {format} is not defined.");
        OptionRange.FromZeroToLessThanOne(nameof(LabelSmoothingFactor), LabelSmoothingFactor);
        OptionRange.NotNegative(nameof(NeftuneNoiseAlpha), NeftuneNoiseAlpha);
        OptionRange.NotNegative(nameof(ZLossWeight), ZLossWeight);
        OptionRange.FromZeroToLessThanOne(nameof(WeightAverageDecay), WeightAverageDecay);
        OptionRange.Positive(nameof(LayerRateDecay), LayerRateDecay);
        OptionRange.Between(nameof(LayerRateDecay), LayerRateDecay, 0, 1);
        if (WeightAverageDecay > 0 && Optimizer == OptimizerAlgorithm.ScheduleFreeAdamW)
        {
            throw new ArgumentException(
                $"{nameof(WeightAverageDecay)} is {WeightAverageDecay}, but {nameof(Optimizer)} {Optimizer} has a mean of weights itself.",
                nameof(WeightAverageDecay));
        }

        if (GroupByLength && !Shuffle)
            throw new ArgumentException($"{nameof(GroupByLength)} makes a random order of its own; it needs {nameof(Shuffle)}.",
                nameof(GroupByLength));
    }
}
