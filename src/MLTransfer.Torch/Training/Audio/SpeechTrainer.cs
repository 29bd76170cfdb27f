using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// Trains a VITS on pairs of texts and sounds (arXiv 2106.06103): posterior encoder, alignment search, flow, durations and decoder, against
/// a discriminator that the network brings or that is made new.
/// </summary>
/// <remarks>
/// The same seed, rows, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed:
/// what is drawn for a row comes from the seed, the step's number and the row's alone. For a new voice give the network a speaker
/// (<see cref="VitsModel.WithSpeakers"/>); for a new language characters (<see cref="VitsModel.WithVocabulary"/> and
/// <see cref="SpeechTokenizer.WithCharacters"/>).
/// </remarks>
public sealed class SpeechTrainer
{
    private readonly VitsModel _model;
    private readonly SpeechTokenizer _tokenizer;
    private readonly SpeechTrainingOptions _options;
    private readonly SpeechRows _rows;
    private readonly RunPlan _plan;

    /// <summary>Checks options and rows.</summary>
    /// <param name="model">
    /// What is trained: its parameters that are not frozen, or its adapters. Its <see cref="VitsModel.Discriminator"/> is trained too;
    /// where
    /// it has none, it gets one.
    /// </param>
    /// <param name="tokenizer">The model's; it is saved with every checkpoint.</param>
    /// <param name="options">How.</param>
    /// <param name="training">The rows to train on.</param>
    /// <param name="validation">Held-out rows for evaluation, early stopping and the best model; null or empty for none.</param>
    /// <exception cref="ArgumentException">An option, the model or a row is not usable; the message says why.</exception>
    public SpeechTrainer(
        VitsModel model, SpeechTokenizer tokenizer, SpeechTrainingOptions options, IReadOnlyList<SpeechExample> training,
        IReadOnlyList<SpeechExample>? validation = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(training);
        using var hold = model.Hold();
        options.Check();
        Check(model, tokenizer, options);
        using var spectra = new SpeechSpectra(model, options);
        _rows = new SpeechRows(model, tokenizer, options, spectra, training, validation);
        (_model, _tokenizer, _options) = (model, tokenizer, options);
        var plan = RunPlan.Of(options, _rows.Schedule, hasValidation: _rows.Validation.Count > 0, evaluatesStart: true);
        var (scheduled, stepsPerEpoch) = (plan.LearningRate, _rows.Schedule.StepsPerEpoch);
        _plan = plan with { LearningRate = step => scheduled(step) * Math.Pow(options.LearningRateDecay, step / stepsPerEpoch) };
    }

    /// <summary>What <see cref="Train"/> takes in memory, roughly, for the rows that there are.</summary>
    public MemoryEstimate EstimateMemory() => Memory().Estimate();

    /// <summary>Runs the training. The model is in evaluation mode afterwards, with its last or its best weights.</summary>
    /// <param name="progress">Told after every step and evaluation, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every pass. On cancellation, and when <paramref name="progress"/> throws, model and files are as after the last
    /// checkpoint, or, where there is none, as at the start.
    /// </param>
    /// <param name="stopAndKeep">
    /// Checked after every step: the run ends there as if it were the last one, with an evaluation, the weights that the options keep and,
    /// where there are checkpoints, one that a later run resumes from.
    /// </param>
    /// <exception cref="OperationCanceledException">
    /// The run was cancelled; the message says at which step, and which checkpoint is the last.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">
    /// The run would take more memory than <see cref="TrainingOptions.MemoryLimit"/> allows; the message tells what would take less.
    /// </exception>
    /// <exception cref="TrainingDivergedException">
    /// A loss or gradient became NaN or infinite. The model has the weights that were best on the validation rows, else those of the last
    /// checkpoint whose weights gave a finite loss, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other rows, options or another
    /// model.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public SpeechTrainingResult Train(
        IProgress<SpeechProgress>? progress = null, CancellationToken cancellationToken = default, CancellationToken stopAndKeep = default)
    {
        using var hold = _model.Hold();
        var memory = Memory();
        if (_model.Device.type == TorchSharp.DeviceType.CPU)
            MemoryCheck.Run(memory.Estimate(), _options, memory.Remedies);
        _model.Discriminator ??= SpeechDiscriminator.Create(_options.DiscriminatorWidth, _options.Seed, _model.Device);
        using var spectra = new SpeechSpectra(_model, _options);
        using var task = new SpeechTask(_model, _tokenizer, _options, _rows, spectra);
        var run = new TrainingRun<SpeechProgress>(task, _options, _plan, _rows.Schedule).Run(progress, cancellationToken, stopAndKeep);
        return new SpeechTrainingResult
        {
            Steps = run.State.Step,
            ModelStep = run.ModelStep,
            InitialValidationMelLoss = run.State.InitialValidationLoss,
            ValidationMelLoss = run.ValidationLoss,
            StoppedEarly = run.StoppedEarly,
            StoppedOnRequest = run.StoppedOnRequest,
            History = run.History,
            Elapsed = run.Elapsed,
        };
    }

    private static void Check(VitsModel model, SpeechTokenizer tokenizer, SpeechTrainingOptions options)
    {
        if (!model.TrainableParameters().Any())
            throw new ArgumentException("The model has nothing to train: all its parameters are frozen.", nameof(model));
        if (model.DataType != ScalarType.Float32)
            throw new ArgumentException($"The model's parameters are {model.DataType}; load it as Float32 to train it.", nameof(model));
        if (tokenizer.VocabularySize > model.VocabularySize)
        {
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens; the model knows {model.VocabularySize}. Give it room "
                + $"({nameof(VitsModel)}.{nameof(VitsModel.WithVocabulary)}).", nameof(tokenizer));
        }

        if (options.SegmentSize % model.HopLength != 0)
        {
            throw new ArgumentException(
                $"{nameof(options.SegmentSize)} is {options.SegmentSize}; expected a multiple of the model's frame, {model.HopLength} "
                + "samples.", nameof(options));
        }

        if (model.Sizes.Upsampling.Any(stage => (stage.Kernel - stage.Rate) % 2 != 0))
        {
            throw new ArgumentException(
                "The model's upsamplings (upsample_kernel_sizes less upsample_rates) are odd numbers: it makes other than a "
                + "frame's samples of a frame and cannot be trained.", nameof(model));
        }
    }

    private SpeechMemory Memory() => new(_model, _options, _rows);
}
