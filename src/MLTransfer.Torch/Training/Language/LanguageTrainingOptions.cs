using MLTransfer.Torch.Generation;
using static TorchSharp.torch;

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
    internal bool ComputesWithNarrowMatrices(Device device) => Precision.MayBeBFloat16(device) || GradientCheckpointing;

    internal override IEnumerable<string> IrrelevantToWeights =>
        base.IrrelevantToWeights.Concat([nameof(SamplePrompts), nameof(SampleGeneration)]).Concat(SwitchedOff);

    /// <summary>What changes nothing as it is, so that a run goes on that was saved before there was such an option.</summary>
    private IEnumerable<string> SwitchedOff =>
        from option in ((string Name, bool IsOff)[])
        [
            (nameof(MoveBorders), !MoveBorders), (nameof(WeightAverageDecay), WeightAverageDecay == 0),
            (nameof(LayerRateDecay), LayerRateDecay == 1),
        ]
        where option.IsOff
        select option.Name;

    internal override void Check()
    {
        base.Check();
        ArgumentNullException.ThrowIfNull(SamplePrompts);
        if (SamplePrompts.Contains(null!))
            throw new ArgumentException($"{nameof(SamplePrompts)} holds a null; expected texts.", nameof(SamplePrompts));
        SampleGeneration?.Check();
        OptionRange.NotNegative(nameof(WeightDecay), WeightDecay);
        OptionRange.FromZeroToLessThanOne(nameof(AdamBeta1), AdamBeta1);
        OptionRange.FromZeroToLessThanOne(nameof(AdamBeta2), AdamBeta2);
        OptionRange.NotNegative(nameof(AdamEpsilon), AdamEpsilon);
        OptionRange.FromZeroToLessThanOne(nameof(WeightAverageDecay), WeightAverageDecay);
        OptionRange.Positive(nameof(LayerRateDecay), LayerRateDecay);
        OptionRange.Between(nameof(LayerRateDecay), LayerRateDecay, 0, 1);
        if (GroupByLength && !Shuffle)
            throw new ArgumentException($"{nameof(GroupByLength)} makes a random order of its own; it needs {nameof(Shuffle)}.",
                nameof(GroupByLength));
    }
}
