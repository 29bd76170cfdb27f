using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Models;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>Trains a causal language model, as Hugging Face's <c>Trainer</c> does: same schedule, same clipping, same optimizer, same numbers.</summary>
/// <remarks>
/// The same seed, data, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed:
/// every epoch's order and every step's dropout come from the seed and the epoch's or step's number alone.
/// </remarks>
public sealed class Trainer
{
    private readonly CausalLanguageModel _model;
    private readonly TrainingOptions _options;
    private readonly TextTokenizer? _tokenizer;
    private readonly List<TrainingExample> _training;
    private readonly List<TrainingExample> _validation;
    private readonly int _stepsPerEpoch;
    private readonly int _totalSteps;

    /// <summary>Checks options and data.</summary>
    /// <param name="model">What is trained: its parameters that are not frozen, or its adapters.</param>
    /// <param name="options">How.</param>
    /// <param name="training">The rows to train on. Rows without a token to predict are left out.</param>
    /// <param name="validation">Held-out rows for evaluation, early stopping and the best model; null or empty for none.</param>
    /// <param name="tokenizer">Saved with every checkpoint, so that a checkpoint is complete; null for checkpoints without.</param>
    /// <exception cref="ArgumentException">An option or the data is not usable; the message says why.</exception>
    public Trainer(
        CausalLanguageModel model,
        TrainingOptions options,
        IReadOnlyList<TrainingExample> training,
        IReadOnlyList<TrainingExample>? validation = null,
        TextTokenizer? tokenizer = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(training);
        options.Check();
        (_model, _options, _tokenizer) = (model, options, tokenizer);
        _training = Usable(training, model);
        _validation = Usable(validation ?? [], model);
        if (_training.Count == 0)
            throw new ArgumentException("There is nothing to train on: no training row has two tokens or more.", nameof(training));
        if (_validation.Count == 0 && options.EarlyStoppingPatience > 0)
            throw new ArgumentException($"{nameof(TrainingOptions.EarlyStoppingPatience)} needs validation rows.", nameof(validation));
        if (!model.TrainableParameters().Any())
            throw new ArgumentException("The model has nothing to train: all its parameters are frozen.", nameof(model));

        var batches = (_training.Count + options.BatchSize - 1) / options.BatchSize;
        _stepsPerEpoch = (batches + options.GradientAccumulationSteps - 1) / options.GradientAccumulationSteps;
        _totalSteps = options.MaximumSteps > 0 ? options.MaximumSteps : checked(_stepsPerEpoch * options.NumberOfEpochs);
    }

    /// <summary>Runs the training. The model is in evaluation mode afterwards, with its last or its best weights.</summary>
    /// <param name="progress">Told after every step and evaluation, on this thread.</param>
    /// <param name="cancellationToken">Checked before every pass. On cancellation the model has the weights of the last checkpoint, or of the start.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite; the last good weights were restored.</exception>
    public TrainingResult Train(IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var workFolder = _options.OutputDirectory ?? Path.Combine(Path.GetTempPath(), $"mltransfer-{Guid.NewGuid():N}");
        Directory.CreateDirectory(workFolder);
        var start = new WeightSnapshot(Path.Combine(workFolder, "start-weights.safetensors"));
        var best = new WeightSnapshot(Path.Combine(workFolder, "best-weights.safetensors"));
        var clock = Stopwatch.StartNew();
        var history = new List<TrainingProgress>();
        using var optimizer = CreateOptimizer();
        try
        {
            var state = Begin(optimizer, start, best);
            using var log = new MetricsLog(_options.OutputDirectory, state.Step);
            var (firstStep, tokens, stoppedEarly) = (state.Step, 0L, false);

            if (_validation.Count > 0 && state.Step == 0)
            {
                var report = new TrainingProgress { Step = 0, TotalSteps = _totalSteps, Epoch = 0, ValidationLoss = Evaluate(cancellationToken) };
                state = Judge(state with { InitialValidationLoss = report.ValidationLoss }, report.ValidationLoss!.Value, best);
                Publish(report);
            }

            while (state.Step < _totalSteps && !stoppedEarly)
            {
                var rows = RowsOfStep(state.Step);
                var learningRate = _options.LearningRate
                    * _options.LearningRateSchedule.Factor(state.Step, _options.WarmupSteps, _totalSteps);
                var (loss, gradientNorm) = RunStep(optimizer, rows, state.Step, learningRate, cancellationToken);
                if (!double.IsFinite(loss) || !double.IsFinite(gradientNorm))
                    throw new TrainingDivergedException(state.Step + 1, loss, gradientNorm);

                state = state with { Step = state.Step + 1 };
                tokens += rows.Sum(row => (long)row.InputIds.Length);
                double? validationLoss = null;
                if (_validation.Count > 0 && IsEvaluationStep(state.Step))
                {
                    validationLoss = Evaluate(cancellationToken);
                    state = Judge(state, validationLoss.Value, best);
                    stoppedEarly = _options.EarlyStoppingPatience > 0
                        && state.EvaluationsWithoutImprovement >= _options.EarlyStoppingPatience;
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

                if (_options.CheckpointSteps > 0 && state.Step % _options.CheckpointSteps == 0)
                    TrainingCheckpoint.Write(workFolder, _model, _tokenizer, optimizer, state, best, _options.CheckpointLimit);
            }

            var useBest = _validation.Count > 0 && _options.KeepBestModel && state.BestStep != state.Step;
            if (useBest)
                best.Restore(_model);
            if (_options.OutputDirectory is not null)
                LossPlot.Write(Path.Combine(workFolder, "loss.png"), [.. log.Earlier, .. history]);
            return new TrainingResult
            {
                Steps = state.Step,
                ModelStep = useBest ? state.BestStep : state.Step,
                InitialValidationLoss = state.InitialValidationLoss,
                ValidationLoss = useBest ? state.BestValidationLoss : history.LastOrDefault(p => p.ValidationLoss is not null)?.ValidationLoss,
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
        catch (Exception exception)
        {
            RestoreLastGoodWeights(workFolder, start, exception is TrainingDivergedException && best.Exists ? best : null);
            throw;
        }
        finally
        {
            _model.eval();
            foreach (var (_, parameter) in _model.TrainableParameters())
                parameter.grad = null;
            start.Delete();
            best.Delete();
            if (_options.OutputDirectory is null)
                Directory.Delete(workFolder, recursive: true);
        }
    }

    private static List<TrainingExample> Usable(IReadOnlyList<TrainingExample> examples, CausalLanguageModel model)
    {
        foreach (var example in examples)
        {
            if (example.InputIds.Length != example.Labels.Length || example.SequenceIds is { } ids && ids.Length != example.InputIds.Length)
                throw new ArgumentException("A training example has not as many labels or sequence ids as input ids.", nameof(examples));
            if (example.InputIds.Length > model.ContextLength)
            {
                throw new ArgumentException(
                    $"A training example has {example.InputIds.Length} tokens; the model's context is {model.ContextLength}.", nameof(examples));
            }

            foreach (var id in example.InputIds)
            {
                if ((uint)id >= (uint)model.VocabularySize)
                {
                    throw new ArgumentException(
                        $"A training example has the token id {id}; the model's vocabulary has {model.VocabularySize}. Use the model's own tokenizer.",
                        nameof(examples));
                }
            }
        }

        return [.. examples.Where(e => e.PredictedTokens > 0)];
    }

    private AdamW CreateOptimizer() => new(
        _model.TrainableParameters().Select(p => (p.Name, p.Parameter, Decays: IsDecayed(p.Name, p.Parameter.dim()))),
        _options.AdamBeta1, _options.AdamBeta2, _options.AdamEpsilon);

    // Biases and normalization weights are the vectors of a model.
    private static bool IsDecayed(string name, long dimensions) => dimensions > 1 && !name.EndsWith(".bias", StringComparison.Ordinal);

    private TrainerState Begin(AdamW optimizer, WeightSnapshot start, WeightSnapshot best)
    {
        var fingerprint = Fingerprint();
        if (_options.OutputDirectory is { } folder)
        {
            if (_options.Resume && TrainingCheckpoint.Newest(folder) is { } newest)
            {
                return TrainingCheckpoint.Resume(newest, _model, optimizer, fingerprint, best);
            }

            TrainingCheckpoint.DeleteAll(folder); // of an earlier run: a later resume must not mix the two
        }

        best.Delete();
        start.Save(_model);
        return new TrainerState { Fingerprint = fingerprint };
    }

    private void RestoreLastGoodWeights(string workFolder, WeightSnapshot start, WeightSnapshot? best)
    {
        if (best is not null)
            best.Restore(_model);
        else if (TrainingCheckpoint.Newest(workFolder) is { } newest)
            TrainingCheckpoint.RestoreWeights(newest, _model);
        else if (start.Exists)
            start.Restore(_model);
    }

    private (double Loss, double GradientNorm) RunStep(
        AdamW optimizer, TrainingExample[] rows, int step, double learningRate, CancellationToken cancellationToken)
    {
        _model.train();
        manual_seed((long)SplitMix64.Mix((ulong)_options.Seed, 1, (ulong)step)); // dropout

        // As transformers does, the sum is divided by the labels that count, each row's first included although nothing predicts it.
        var labels = rows.Sum(row => row.LabelCount);
        double loss = 0;
        optimizer.ClearGradients();
        foreach (var part in rows.Chunk(_options.BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var mean = LanguageModelLoss.Sum(_model, TrainingBatch.Create(part, _model.Device)) / labels;
            mean.backward();
            loss += mean.item<float>();
        }

        var gradientNorm = optimizer.GradientNorm();
        if (double.IsFinite(loss) && double.IsFinite(gradientNorm))
        {
            var factor = _options.MaximumGradientNorm > 0 ? Math.Min(1, _options.MaximumGradientNorm / (gradientNorm + 1e-6)) : 1;
            optimizer.Step(learningRate, _options.WeightDecay, factor);
        }

        return (loss, gradientNorm);
    }

    private TrainingExample[] RowsOfStep(int step)
    {
        var (epoch, stepOfEpoch) = (step / _stepsPerEpoch, step % _stepsPerEpoch);
        var rowsPerStep = _options.BatchSize * _options.GradientAccumulationSteps;
        var order = _options.Shuffle
            ? new SplitMix64(SplitMix64.Mix((ulong)_options.Seed, 2, (ulong)epoch)).Permutation(_training.Count)
            : Enumerable.Range(0, _training.Count);
        return [.. order.Skip(stepOfEpoch * rowsPerStep).Take(rowsPerStep).Select(i => _training[i])];
    }

    private bool IsEvaluationStep(int step) =>
        step == _totalSteps || step % (_options.EvaluationSteps > 0 ? _options.EvaluationSteps : _stepsPerEpoch) == 0;

    private double Evaluate(CancellationToken cancellationToken) =>
        Evaluator.Evaluate(_model, _validation, _options.EvaluationBatchSize, cancellationToken).Loss;

    private TrainerState Judge(TrainerState state, double validationLoss, WeightSnapshot best)
    {
        if (!(validationLoss < (state.BestValidationLoss ?? double.PositiveInfinity)))
            return state with { EvaluationsWithoutImprovement = state.EvaluationsWithoutImprovement + 1 };
        best.Save(_model);
        return state with { BestValidationLoss = validationLoss, BestStep = state.Step, EvaluationsWithoutImprovement = 0 };
    }

    /// <summary>Identifies what makes a run's result: rows, options and the names of trained parameters.</summary>
    private string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var options = JsonSerializer.SerializeToNode(_options)!.AsObject();
        foreach (var irrelevant in (string[])[nameof(TrainingOptions.OutputDirectory), nameof(TrainingOptions.Resume),
            nameof(TrainingOptions.CheckpointSteps), nameof(TrainingOptions.CheckpointLimit)])
        {
            options.Remove(irrelevant);
        }

        hash.AppendData(Encoding.UTF8.GetBytes(options.ToJsonString()));
        foreach (var (name, parameter) in _model.TrainableParameters())
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}[{string.Join(',', parameter.shape)}]"));
        foreach (var example in _training.Concat(_validation))
        {
            hash.AppendData(MemoryMarshal.AsBytes<int>(example.InputIds));
            hash.AppendData(MemoryMarshal.AsBytes<int>(example.Labels));
            hash.AppendData(MemoryMarshal.AsBytes<int>(example.SequenceIds ?? []));
            hash.AppendData([255]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
