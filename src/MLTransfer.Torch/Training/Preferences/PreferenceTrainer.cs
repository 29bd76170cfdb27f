using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Ranks;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>
/// Tunes a language model by preferences, as trl's <c>DPOTrainer</c> does: adapters, or all weights. The log-probabilities of all texts by
/// the reference model are measured once, before the first step.
/// </summary>
/// <inheritdoc cref="LanguageModelTrainer" path="/remarks"/>
public sealed class PreferenceTrainer
{
    private readonly TransformerNetwork _model;
    private readonly PreferenceTrainingOptions _options;
    private readonly PreferenceRows _rows;
    private readonly TextTokenizer? _tokenizer;
    private readonly TransformerTraining _training;

    /// <summary>Checks options and data.</summary>
    /// <param name="model">
    /// What is trained: its parameters that are not frozen, or its adapters. It writes texts: it is a decoder, or an encoder with a
    /// decoder.
    /// </param>
    /// <param name="options">How.</param>
    /// <param name="training">The pairs to train on.</param>
    /// <param name="validation">Held-out pairs for evaluation, early stopping and the best model; null or empty for none.</param>
    /// <param name="tokenizer">
    /// Saved with every checkpoint, so that a checkpoint is complete, and reads <see cref="LanguageTrainingOptions.SamplePrompts"/>; null
    /// for checkpoints without.
    /// </param>
    /// <exception cref="ArgumentException">An option or the data is not usable; the message says why.</exception>
    public PreferenceTrainer(
        TransformerNetwork model, PreferenceTrainingOptions options, IReadOnlyList<PreferencePair> training,
        IReadOnlyList<PreferencePair>? validation = null, TextTokenizer? tokenizer = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(training);
        using var hold = model.Hold();
        options.Check();
        RunRanks.Refuse(options, "the tuning by preferences", "its figures are of one process's pairs. Train in one process.");
        (_model, _options, _tokenizer) = (model, options, tokenizer);
        _rows = new PreferenceRows(model, options, training, validation);
        _training = new TransformerTraining(model, options, _rows.Schedule, _rows.ShapeOf(options), tokenizer);
    }

    /// <inheritdoc cref="LanguageModelTrainer.Precision"/>
    public Precision Precision => Computation.Precision;

    /// <summary>What is computed with.</summary>
    internal TrainingComputation Computation => _training.Computation;

    /// <inheritdoc cref="LanguageModelTrainer.AnswerSamples"/>
    internal Func<IReadOnlyList<string>, GenerationOptions, CancellationToken, IReadOnlyList<IReadOnlyList<GeneratedText>>>? AnswerSamples
    {
        get; init;
    }

    /// <inheritdoc cref="LanguageModelTrainer.EstimateMemory"/>
    public MemoryEstimate EstimateMemory() => _training.EstimateMemory();

    /// <inheritdoc cref="LanguageModelTrainer.Train"/>
    public TrainingResult Train(
        IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default,
        CancellationToken stopAndKeep = default) => _training.Train(
        type => new PreferenceTask(_model, _options, _rows, type) { Tokenizer = _tokenizer, AnswerSamples = AnswerSamples },
        progress, cancellationToken, stopAndKeep);
}
