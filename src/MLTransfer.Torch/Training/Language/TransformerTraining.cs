using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>What the trainers of transformers have in common: checks, the plan, what is computed with, memory, and the run.</summary>
internal sealed class TransformerTraining
{
    private readonly TransformerNetwork _model;
    private readonly LanguageTrainingOptions _options;
    private readonly RowSchedule _schedule;
    private readonly LanguageShape _shape;
    private readonly RunPlan _plan;

    /// <summary>Checks what does not depend on rows.</summary>
    /// <param name="model">What is trained.</param>
    /// <param name="options">How; checked.</param>
    /// <param name="schedule">Which rows steps read.</param>
    /// <param name="shape">How large passes are.</param>
    /// <param name="tokenizer">Reads sample prompts; null for none.</param>
    /// <exception cref="ArgumentException">Nothing is to be trained, or sample prompts cannot be continued.</exception>
    public TransformerTraining(
        TransformerNetwork model, LanguageTrainingOptions options, RowSchedule schedule, LanguageShape shape, TextTokenizer? tokenizer)
    {
        if (!model.TrainableParameters().Any())
            throw new ArgumentException("The model has nothing to train: all its parameters are frozen.", nameof(model));
        if (options.SamplePrompts.Count > 0 && tokenizer is null)
            throw new ArgumentException($"{nameof(options.SamplePrompts)} are texts; they need the tokenizer.", nameof(tokenizer));
        if (options.SamplePrompts.Count > 0 && model.Decoder is null)
        {
            throw new ArgumentException(
                $"{nameof(options.SamplePrompts)} are continued by a decoder; the model is a {model.GetType().Name}. Leave them out.",
                nameof(options));
        }

        if (options.FrozenFormat is not null)
            FrozenMatrices.Check(model);
        model.WidenTrained();
        (_model, _options, _schedule, _shape) = (model, options, schedule, shape);
        _plan = RunPlan.Of(options, schedule, hasValidation: shape.EvaluationRows > 0, evaluatesStart: true);
        Computation = TrainingComputation.Of(options, model.Device, () => LargestProducts.Of(model));
    }

    /// <summary>What is computed with.</summary>
    public TrainingComputation Computation { get; }

    /// <summary>What the run takes in memory.</summary>
    public MemoryEstimate EstimateMemory() => Memory().Estimate();

    /// <summary>Runs the training.</summary>
    /// <param name="create">Makes what is trained, of the type of matrix products.</param>
    /// <param name="progress">Told after every step and evaluation, on this thread.</param>
    /// <param name="cancellationToken">Checked before every pass.</param>
    /// <param name="stopAndKeep">Checked after every step.</param>
    public TrainingResult Train(
        Func<ScalarType?, TransformerTask> create, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken,
        CancellationToken stopAndKeep)
    {
        using var hold = _model.Hold();
        var memory = Memory();
        if (_model.Device.type == TorchSharp.DeviceType.CPU)
            MemoryCheck.Run(memory.Estimate(), _options, memory.Remedies);
        using var task = create(Computation.Precision.ComputeType());
        var run = new TrainingRun<TrainingProgress>(task, _options, _plan, _schedule) { Computation = Computation }
            .Run(progress, cancellationToken, stopAndKeep);
        return new TrainingResult
        {
            Steps = run.State.Step,
            ModelStep = run.ModelStep,
            InitialValidationLoss = run.State.InitialValidationLoss,
            ValidationLoss = run.ValidationLoss,
            StoppedEarly = run.StoppedEarly,
            StoppedOnRequest = run.StoppedOnRequest,
            History = run.History,
            Elapsed = run.Elapsed,
        };
    }

    private LanguageMemory Memory() => new(_model, Computation.Fix(_options), _shape);
}
