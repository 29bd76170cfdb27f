using System.Diagnostics;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Optimizers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Trains a causal language model, as Hugging Face's <c>Trainer</c> does: same schedule, same clipping, same optimizer, same numbers.</summary>
/// <remarks>
/// The same seed, data, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed:
/// every epoch's order and every step's dropout come from the seed and the epoch's or step's number alone. Dropout draws from libtorch's one
/// generator of the process, so with dropout this holds only while no other thread draws from it.
/// </remarks>
public sealed class Trainer
{
    /// <summary>So many steps pass until the C library has settled where in its heap the tensors of a step lie.</summary>
    private const int StepsToSettle = 3;

    private readonly CausalLanguageModel _model;
    private readonly LanguageTrainingOptions _options;
    private readonly TextTokenizer? _tokenizer;
    private readonly List<TrainingExample> _training;
    private readonly List<TrainingExample> _validation;
    private readonly int _rowsPerStep;
    private readonly int _stepsPerEpoch;
    private readonly int _totalSteps;
    private (int Epoch, int[] Rows) _order = (-1, []);

    /// <summary>Checks options and data.</summary>
    /// <param name="model">What is trained: its parameters that are not frozen, or its adapters.</param>
    /// <param name="options">How.</param>
    /// <param name="training">The rows to train on. Rows without a token to predict are left out.</param>
    /// <param name="validation">Held-out rows for evaluation, early stopping and the best model; null or empty for none.</param>
    /// <param name="tokenizer">Saved with every checkpoint, so that a checkpoint is complete; null for checkpoints without.</param>
    /// <exception cref="ArgumentException">An option or the data is not usable; the message says why.</exception>
    public Trainer(
        CausalLanguageModel model,
        LanguageTrainingOptions options,
        IReadOnlyList<TrainingExample> training,
        IReadOnlyList<TrainingExample>? validation = null,
        TextTokenizer? tokenizer = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(training);
        options.Check();
        (_model, _options, _tokenizer) = (model, options, tokenizer);
        _training = TrainingRows.Usable(training, model, nameof(training));
        _validation = TrainingRows.Usable(validation ?? [], model, nameof(validation));
        if (_training.Count == 0)
            throw new ArgumentException("There is nothing to train on: no training row has two tokens or more.", nameof(training));
        if (_validation.Count == 0 && options.EarlyStoppingPatience > 0)
            throw new ArgumentException($"{nameof(LanguageTrainingOptions.EarlyStoppingPatience)} needs validation rows.", nameof(validation));
        if (!model.TrainableParameters().Any())
            throw new ArgumentException("The model has nothing to train: all its parameters are frozen.", nameof(model));

        _rowsPerStep = (int)Math.Min(_training.Count, (long)options.BatchSize * options.GradientAccumulationSteps);
        _stepsPerEpoch = (_training.Count + _rowsPerStep - 1) / _rowsPerStep;
        var steps = options.MaximumSteps > 0 ? options.MaximumSteps : (long)_stepsPerEpoch * options.NumberOfEpochs;
        if (steps > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), steps, $"{nameof(LanguageTrainingOptions.NumberOfEpochs)} of {options.NumberOfEpochs} takes more than {int.MaxValue} steps.");
        }

        _totalSteps = (int)steps;
        Precision = options.Precision.ComputeType(model.Device) is null ? Precision.Float32 : Precision.BFloat16;
    }

    /// <summary>The number format of matrix products: what <see cref="LanguageTrainingOptions.Precision"/> says or, for <see cref="Precision.Auto"/>, what it comes to here.</summary>
    public Precision Precision { get; }

    /// <summary>Runs the training. The model is in evaluation mode afterwards, with its last or its best weights.</summary>
    /// <remarks>
    /// A second call is a new run that starts from the weights that the first one left, with the schedule and the order of rows from the beginning.
    /// With <see cref="LanguageTrainingOptions.Resume"/> it goes on from the newest checkpoint instead, which may be that of the last step.
    /// </remarks>
    /// <param name="progress">Told after every step and evaluation, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every pass. On cancellation, and when <paramref name="progress"/> throws, model and files are as after the last checkpoint, or,
    /// where there is none, as at the start.
    /// </param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">
    /// A loss or gradient became NaN or infinite. The model has the weights that were best on the validation rows, else those of the last
    /// checkpoint whose weights gave a finite loss, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other rows, options or another model.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public TrainingResult Train(IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested(); // before anything of an earlier run is deleted
        var workFolder = _options.OutputDirectory ?? Path.Combine(Path.GetTempPath(), $"mltransfer-{Guid.NewGuid():N}");
        var start = new WeightSnapshot(Path.Combine(workFolder, "start-weights.safetensors"));
        var best = new WeightSnapshot(Path.Combine(workFolder, "best-weights.safetensors"));
        var clock = Stopwatch.StartNew();
        var history = new List<TrainingProgress>();
        TrainerState? reached = null; // null until the run has begun
        var hasResult = false;
        using var optimizer = CreateOptimizer();
        FrozenWeights? frozen = null;
        try
        {
            Directory.CreateDirectory(workFolder);
            _model.ComputeType = Precision == Precision.BFloat16 ? ScalarType.BFloat16 : null;
            optimizer.ClearGradients(); // of whatever the model was used for before
            start.Save(_model);
            var state = reached = Begin(optimizer, best);
            frozen = FrozenWeights.Convert(_model, Path.Combine(workFolder, "frozen-weights.safetensors"));
            TrainableWeights.Convert(_model, optimizer);
            using var log = new MetricsLog<TrainingProgress>(_options.OutputDirectory, state.Step);
            var (firstStep, tokens) = (state.Step, 0L);
            var stoppedEarly = IsToStop(state); // a run that had stopped already has nothing left to do

            if (_validation.Count > 0 && state.Step == 0)
            {
                var loss = Evaluate(step: 0, cancellationToken);
                state = reached = Judge(state with { InitialValidationLoss = loss }, loss, best);
                Publish(new TrainingProgress { Step = 0, TotalSteps = _totalSteps, Epoch = 0, ValidationLoss = loss });
            }

            while (state.Step < _totalSteps && !stoppedEarly)
            {
                var rows = RowsOfStep(state.Step);
                var learningRate = _options.LearningRate
                    * _options.LearningRateSchedule.Factor(state.Step, _options.WarmupSteps, _totalSteps);
                var (loss, gradientNorm) = RunStep(optimizer, frozen, rows, state.Step, learningRate, cancellationToken);
                if (!double.IsFinite(loss) || !double.IsFinite(gradientNorm))
                    throw new TrainingDivergedException(state.Step + 1, loss, gradientNorm);

                if (state.Step - firstStep < StepsToSettle && _model.Device.type == TorchSharp.DeviceType.CPU)
                    NativeHeap.Trim();
                state = reached = state with { Step = state.Step + 1 };
                tokens += rows.Sum(row => (long)row.InputIds.Length);
                double? validationLoss = null;
                if (_validation.Count > 0 && IsEvaluationStep(state.Step))
                {
                    validationLoss = Evaluate(state.Step, cancellationToken);
                    state = reached = Judge(state, validationLoss.Value, best);
                    stoppedEarly = IsToStop(state);
                }

                var elapsed = clock.Elapsed;
                Publish(new TrainingProgress
                {
                    Step = state.Step,
                    TotalSteps = _totalSteps,
                    Epoch = (double)state.Step / _stepsPerEpoch,
                    Loss = loss,
                    GradientNorm = gradientNorm,
                    LearningRate = learningRate,
                    ValidationLoss = validationLoss,
                    TokensPerSecond = tokens / elapsed.TotalSeconds,
                    Elapsed = elapsed,
                    Remaining = elapsed * ((double)(_totalSteps - state.Step) / (state.Step - firstStep)),
                });

                if (_options.CheckpointSteps > 0
                    && (state.Step % _options.CheckpointSteps == 0 || state.Step == _totalSteps || stoppedEarly))
                {
                    TrainingCheckpoint.Write(workFolder, _model, _tokenizer, optimizer, state, best, _options.CheckpointLimit);
                }
            }

            var useBest = _options.KeepBestModel && state.BestValidationLoss is not null && state.BestStep != state.Step;
            if (useBest)
                best.Restore(_model);
            hasResult = true;
            if (_options.OutputDirectory is not null)
                Plot(workFolder, [.. log.Earlier, .. history]);
            return new TrainingResult
            {
                Steps = state.Step,
                ModelStep = useBest ? state.BestStep : state.Step,
                InitialValidationLoss = state.InitialValidationLoss,
                ValidationLoss = useBest ? state.BestValidationLoss : state.LastValidationLoss,
                StoppedEarly = stoppedEarly,
                History = history,
                Elapsed = clock.Elapsed,
            };

            void Publish(TrainingProgress report)
            {
                history.Add(report);
                log.Write(report);
                progress?.Report(report);
            }
        }
        catch (Exception exception) when (!hasResult) // the trained weights stay, even if they cannot be plotted
        {
            try
            {
                GoBack(workFolder, start, best, reached, exception is TrainingDivergedException);
            }
            catch (Exception second)
            {
                throw new AggregateException("Training failed, and so did going back to the last good weights: do not use the model.", exception, second);
            }

            throw;
        }
        finally
        {
            _model.eval();
            frozen?.Dispose();
            _model.ComputeType = null;
            foreach (var (_, parameter) in _model.TrainableParameters())
                parameter.grad = null;
            if (_options.OutputDirectory is null && Directory.Exists(workFolder))
                Directory.Delete(workFolder, recursive: true);
            else if (Directory.Exists(workFolder))
            {
                start.Delete();
                best.Delete();
            }
        }
    }

    private static void Plot(string folder, IReadOnlyList<TrainingProgress> history) => LossPlot.Write(
        folder,
        "Cross-entropy (nats a token)",
        new LossCurve("training", history.Where(p => p.Loss is not null).Select(p => (p.Step, p.Loss!.Value))),
        new LossCurve("validation", history.Where(p => p.ValidationLoss is not null).Select(p => (p.Step, p.ValidationLoss!.Value)), HasMarkers: true));

    private AdamW CreateOptimizer() => new(
        _model.TrainableParameters().Select(p => (p.Name, p.Parameter, Decays: IsDecayed(p.Name, p.Parameter.dim()))),
        _options.AdamBeta1, _options.AdamBeta2, _options.AdamEpsilon);

    // Biases and normalization weights are the vectors of a model.
    private static bool IsDecayed(string name, long dimensions) => dimensions > 1 && !name.EndsWith(".bias", StringComparison.Ordinal);

    private TrainerState Begin(AdamW optimizer, WeightSnapshot best)
    {
        if (_options.OutputDirectory is not { } folder)
            return new TrainerState { Fingerprint = "" };

        var fingerprint = _options.Resume || _options.CheckpointSteps > 0 ? RunFingerprint.Compute(_model, _options, _training, _validation) : "";
        CheckpointFolder.DeleteAbandoned(folder);
        if (_options.Resume && CheckpointFolder.Newest(folder) is { } newest)
            return TrainingCheckpoint.Resume(newest, _model, optimizer, fingerprint, best);

        CheckpointFolder.DeleteAll(folder); // of an earlier run: a later resume must not mix the two
        File.Delete(Path.Combine(folder, LossPlot.FileName));
        best.Delete();
        return new TrainerState { Fingerprint = fingerprint };
    }

    /// <summary>Brings the model, and after anything but divergence the files, back to the last state that is known to be good.</summary>
    private void GoBack(string workFolder, WeightSnapshot start, WeightSnapshot best, TrainerState? reached, bool diverged)
    {
        if (reached is null)
        {
            if (start.Exists)
                start.Restore(_model);
        }
        else if (diverged && reached.BestValidationLoss is not null)
        {
            best.Restore(_model);
        }
        else
        {
            // What diverges now is computed with the weights of the last step done: a checkpoint of them is no good either.
            var checkpoint = CheckpointFolder.Newest(workFolder, diverged ? reached.Step - 1 : reached.Step);
            if (checkpoint is null)
                start.Restore(_model);
            else
                TrainingCheckpoint.RestoreWeights(checkpoint, _model);
            if (!diverged && _options.OutputDirectory is not null)
                MetricsLog<TrainingProgress>.GoBackTo(workFolder, checkpoint?.Step);
        }
    }

    private (double Loss, double GradientNorm) RunStep(
        AdamW optimizer, FrozenWeights? frozen, TrainingExample[] rows, int step, double learningRate, CancellationToken cancellationToken)
    {
        _model.train();
        manual_seed((long)SplitMix64.Mix((ulong)_options.Seed, 1, (ulong)step)); // dropout

        // As transformers does, the sum is divided by the labels that count, each row's first included although nothing predicts it.
        var labels = rows.Sum(row => row.LabelCount);
        double loss = 0;
        var passes = 0;
        var parts = rows.Chunk(_options.BatchSize).ToList();
        foreach (var part in parts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var checkpoints = _options.GradientCheckpointing
                ? new GradientCheckpoints((long)SplitMix64.Mix((ulong)_options.Seed, 3, (ulong)step, (ulong)passes++))
                : null;
            loss += LanguageModelLoss.Backward(_model, TrainingBatch.Create(part, _model.Device), 1.0 / labels, checkpoints, frozen);
            if (parts.Count > 1)
                optimizer.AddUpGradients();
        }

        var gradientNorm = optimizer.GradientNorm();
        if (double.IsFinite(loss) && double.IsFinite(gradientNorm))
        {
            var factor = _options.MaximumGradientNorm > 0 ? Math.Min(1, _options.MaximumGradientNorm / (gradientNorm + 1e-6)) : 1;
            optimizer.Step(learningRate, _options.WeightDecay, factor);
        }

        optimizer.ClearGradients();
        return (loss, gradientNorm);
    }

    private TrainingExample[] RowsOfStep(int step)
    {
        var (epoch, stepOfEpoch) = (step / _stepsPerEpoch, step % _stepsPerEpoch);
        if (_order.Epoch != epoch)
            _order = (epoch, OrderOfEpoch(epoch));
        return [.. _order.Rows.Skip(stepOfEpoch * _rowsPerStep).Take(_rowsPerStep).Select(i => _training[i])];
    }

    private int[] OrderOfEpoch(int epoch)
    {
        if (_options.GroupByLength)
            return RowOrder.GroupedByLength([.. _training.Select(row => row.InputIds.Length)], _rowsPerStep, _options.Seed, epoch);
        return _options.Shuffle ? RowOrder.Shuffled(_training.Count, _options.Seed, epoch) : [.. Enumerable.Range(0, _training.Count)];
    }

    private bool IsEvaluationStep(int step) =>
        step == _totalSteps || step % (_options.EvaluationSteps > 0 ? _options.EvaluationSteps : _stepsPerEpoch) == 0;

    private bool IsToStop(TrainerState state) =>
        _options.EarlyStoppingPatience > 0 && state.EvaluationsWithoutImprovement >= _options.EarlyStoppingPatience;

    private double Evaluate(int step, CancellationToken cancellationToken)
    {
        var loss = Evaluator.Evaluate(_model, _validation, _options.EvaluationBatchSize, cancellationToken).Loss;
        return double.IsFinite(loss) ? loss : throw new TrainingDivergedException(step, loss);
    }

    private TrainerState Judge(TrainerState state, double validationLoss, WeightSnapshot best)
    {
        state = state with { LastValidationLoss = validationLoss };
        if (validationLoss >= state.BestValidationLoss)
            return state with { EvaluationsWithoutImprovement = state.EvaluationsWithoutImprovement + 1 };
        best.Save(_model);
        return state with { BestValidationLoss = validationLoss, BestStep = state.Step, EvaluationsWithoutImprovement = 0 };
    }
}
