using MLTransfer.Torch.Generation.Images;

namespace MLTransfer.Torch.Training.Images;

/// <summary>
/// How a network that writes codes of pictures is trained. Names map one to one onto Hugging Face's <c>TrainingArguments</c>, and defaults
/// are the same where not said otherwise: <see cref="TrainingOptions.LearningRate"/> is 5e-5.
/// </summary>
public sealed record TextToImageTrainingOptions : AdamWTrainingOptions
{
    /// <summary>The defaults.</summary>
    public TextToImageTrainingOptions() => LearningRate = 5e-5;

    /// <summary>
    /// How often a row's caption is left out, so that the network goes on knowing pictures without one, which guidance needs (arXiv
    /// 2207.12598). The seed, the epoch and the row alone decide.
    /// </summary>
    public double ConditionDropout { get; init; } = 0.1;

    /// <summary>
    /// Captions that the model makes pictures of before the first step and at each evaluation, or where there are no validation rows as
    /// often; the pictures, and where there are several a grid of them with their captions, go to the progress, to <c>answers.jsonl</c>
    /// and <c>run.html</c>. They do not change what is trained.
    /// </summary>
    public IReadOnlyList<string> SamplePrompts { get; init; } = [];

    /// <summary>How pictures of <see cref="SamplePrompts"/> are made; null for the defaults. Where it has no seed,
    /// <see cref="TrainingOptions.Seed"/> decides what is drawn.</summary>
    public ImageGenerationOptions? SampleGeneration { get; init; }

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
    }
}
