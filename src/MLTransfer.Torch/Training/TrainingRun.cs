using System.Diagnostics;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Ranks;
using MLTransfer.Torch.Training.Reports;
using MLTransfer.Torch.Training.Schedules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>
/// A training run from beginning to end: steps in the order of rows, evaluation, early stopping and the best weights, files, going on from
/// a saved run, and going back to the last good weights where something fails. What is trained, and how, is the task's.
/// </summary>
/// <param name="task">What is trained. It stays the caller's.</param>
/// <param name="options">Of the run.</param>
/// <param name="plan">How long it is.</param>
/// <param name="rows">What its steps read.</param>
internal sealed class TrainingRun<TReport>(TrainingTask<TReport> task, TrainingOptions options, RunPlan plan, RowSchedule rows)
    where TReport : RunProgress, ITrainingReport<TReport>
{
    private const string OptimizerFile = "optimizer.safetensors";

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly RunRanks _ranks = new(options.Collective);
    private IUpdateExchange? _exchange;
    private readonly List<TReport> _history = [];
    private RunState? _reached; // null until the run has begun
    private RunReport? _report; // null where no file stays
    private int _firstStep;
    private long _amount;

    /// <summary>Other processes that go through the rows of each step together with this one; null for this one alone.</summary>
    public IUpdateExchange? Exchange
    {
        get => _exchange ??= _ranks.CreateExchange();
        init => _exchange = value;
    }

    /// <summary>What is computed with.</summary>
    public TrainingComputation Computation { get; init; } = TrainingComputation.Of(options);

    private IEnumerable<KeyValuePair<string, Tensor>> OptimizerState => task.Players.SelectMany(player => player.State);

    private RunState Reached
    {
        get => _reached!;
        set => _reached = value;
    }

    private bool IsToStop => plan.Patience > 0 && Reached.EvaluationsWithoutImprovement >= plan.Patience;

    /// <summary>Trains. Called once.</summary>
    /// <param name="progress">Told after every step and evaluation, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every pass. On cancellation, and when <paramref name="progress"/> throws, weights and files are as when the run was
    /// last saved, or, where it was not, as at the start.
    /// </param>
    /// <param name="stopAndKeep">
    /// Checked after every step: the run ends there as if it were the last one, with an evaluation and, where there are saved states, one
    /// to go on from.
    /// </param>
    /// <exception cref="OperationCanceledException">
    /// The run was cancelled; the message says at which step, and what is kept.
    /// </exception>
    /// <exception cref="TrainingDivergedException">
    /// A loss or gradient became NaN or infinite. The best weights on the validation rows came back, else those of the last saved run whose
    /// weights gave a finite loss, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The saved run to resume from is damaged, or was made with other rows, options or another
    /// model.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public RunResult<TReport> Run(
        IProgress<TReport>? progress, CancellationToken cancellationToken, CancellationToken stopAndKeep = default)
    {
        try
        {
            return RunAndGoBack(progress, cancellationToken, stopAndKeep);
        }
        catch (Exception exception) when (exception is not TrainingDivergedException) // which all ranks see in the same step
        {
            _ranks.Abort(exception);
            throw;
        }
    }

    private RunResult<TReport> RunAndGoBack(
        IProgress<TReport>? progress, CancellationToken cancellationToken, CancellationToken stopAndKeep)
    {
        cancellationToken.ThrowIfCancellationRequested(); // before anything of an earlier run is deleted
        using var collections = BackgroundCollection.HoldBack();
        using var threads = new ThreadCount(Computation.Threads);
        using var folder = new RunFolder(options.OwnDirectory);
        task.Ranks = _ranks;
        var hasResult = false;
        try
        {
            task.Begin();
            foreach (var player in task.Players)
                player.Optimizer.ClearGradients(); // of whatever the model was used for before
            folder.Start.Save(task.Weights);
            Reached = Begin(folder);
            _firstStep = Reached.Step;
            using var log = new MetricsLog<TReport>(options.OwnDirectory, Reached.Step) { Computation = Computation };
            _report = options.OwnDirectory is null ? null : new RunReport(
                folder.Path, Path.Combine(folder.Path, MetricsLog<TReport>.FileName), Reached.Step, Computation.Fix(options),
                options.TensorBoard);
            WritePage();
            task.Prepare(folder.Path, Reached.Step, cancellationToken);
            var result = RunSteps(folder, log, progress, cancellationToken, stopAndKeep);
            hasResult = true;
            WritePage(result switch
            {
                { StoppedEarly: true } => "Stopped early: the validation loss did not fall any more.",
                { StoppedOnRequest: true } => "Stopped on request, with what was learned until then.",
                _ => "Finished.",
            });
            if (options.OwnDirectory is not null)
                LossPlot.Write(folder.Path, task.LossLabel, task.Curves([.. log.Earlier, .. _history]));
            return result;
        }
        catch (Exception exception) when (!hasResult) // the trained weights stay, even if they cannot be plotted
        {
            try
            {
                GoBack(folder, exception is TrainingDivergedException);
            }
            catch (Exception second)
            {
                throw new AggregateException(
                    "Training failed, and so did going back to the last good weights: do not use the model.", exception, second);
            }

            var cancelled = exception is OperationCanceledException && cancellationToken.IsCancellationRequested
                ? DescribeCancellation(folder) : null;
            try
            {
                WritePage(cancelled ?? exception.Message);
            }
            catch (IOException)
            {
                // The first failure, such as a full disk, is the one to tell.
            }

            if (cancelled is not null)
                throw new OperationCanceledException(cancelled, exception, cancellationToken);
            throw;
        }
        finally
        {
            task.End();
        }
    }

    private RunState Begin(RunFolder folder)
    {
        var fingerprint = _ranks.IsShared || options.OutputDirectory is not null && (options.Resume || plan.SaveInterval > 0)
            ? task.Fingerprint() : "";
        _ranks.CheckEqual(fingerprint);
        var state = _ranks.IsFirst ? Begin(folder, fingerprint) : new RunState { Fingerprint = fingerprint };
        return _ranks.IsShared ? LikeFirst(state) : state;
    }

    /// <summary>Takes from rank 0 where the run begins: weights, optimizers and state, which the others have no files of.</summary>
    private RunState LikeFirst(RunState state)
    {
        state = _ranks.OfFirst(() => state with
        {
            Updates = [.. task.Players.Select(player => player.Optimizer.StepCount)], Task = task.State,
        });
        if (!_ranks.IsFirst && state.Step > 0)
            task.RestoreState(state.Task);
        _ranks.CopyFirst(task.RestoredWeights.Concat(OptimizerState).Select(tensor => tensor.Value));
        foreach (var (player, updates) in task.Players.Zip(state.Updates))
            player.Optimizer.StepCount = updates;
        task.WeightsChanged();
        return state;
    }

    private RunState Begin(RunFolder folder, string fingerprint)
    {
        if (folder.OutputDirectory is null)
            return new RunState { Fingerprint = "" };

        if (options.Resume && SavedRun.Newest(folder.Path) is { } newest)
            return newest.Resume(fingerprint, state => Restore(newest.Folder, state, folder.Best));

        SavedRun.DeleteAll(folder.Path); // of an earlier run: a later resume must not mix the two
        File.Delete(Path.Combine(folder.Path, LossPlot.FileName));
        folder.Best.Delete();
        task.DeleteFiles(folder.Path);
        return new RunState { Fingerprint = fingerprint };
    }

    private RunResult<TReport> RunSteps(
        RunFolder folder, MetricsLog<TReport> log, IProgress<TReport>? progress, CancellationToken cancellationToken,
        CancellationToken stopAndKeep)
    {
        var (stoppedEarly, stoppedOnRequest) = (IsToStop, false); // a run that had stopped already has nothing left to do
        if (Reached.Step == 0)
        {
            if (plan is { HasEvaluation: true, EvaluatesStart: true })
            {
                var report = Evaluate(
                    (TReport)((RunProgress)task.ReportAfter(0) with { TotalSteps = plan.TotalSteps }), folder.Best, cancellationToken);
                Reached = Reached with { InitialValidationLoss = Reached.LastValidationLoss };
                Publish(report, Answer());
            }
            else
            {
                _report?.Add(0, Answer());
            }

            WritePage();
        }

        while (Reached.Step < plan.TotalSteps && !stoppedEarly && !stoppedOnRequest)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rowsOfStep = rows.RowsOfStep(Reached.Step);
            var rate = plan.LearningRate(Reached.Step) * (Reached.Plateau?.Factor ?? 1);
            var report = task.RunStep(new TrainingStep(Reached.Step, rowsOfStep, rate, options, Exchange, cancellationToken));
            Reached = Reached with { Step = Reached.Step + 1 };
            _amount += task.AmountOf(rowsOfStep);
            if (plan.EvaluatesAfter(Reached.Step))
            {
                report = Evaluate(report, folder.Best, cancellationToken);
                stoppedEarly = IsToStop;
            }

            report = Timed(report);
            var answers = plan.AnswersAfter(Reached.Step) || stoppedEarly ? Answer() : [];
            Publish(report, answers);
            if (answers.Count > 0 || plan.AnswersAfter(Reached.Step) || plan.EvaluatesAfter(Reached.Step))
                WritePage(remaining: report.Remaining);
            stoppedOnRequest = _ranks.Any(stopAndKeep.IsCancellationRequested) && Reached.Step < plan.TotalSteps && !stoppedEarly;
            if (plan.SavesAfter(Reached.Step) || plan.SaveInterval > 0 && (stoppedEarly || stoppedOnRequest))
                Save(folder);
            if (stoppedOnRequest)
                Stop(report);
        }

        var useBest = plan.KeepsBest && Reached.BestValidationLoss is not null && Reached.BestStep != Reached.Step;
        if (!useBest)
            _ = UseAverages(); // for good
        else if (_ranks.IsFirst)
            folder.Best.Restore(task.Weights);
        TakeWeightsOfFirst();
        task.Complete(cancellationToken);
        return new RunResult<TReport>(Reached, useBest ? Reached.BestStep : Reached.Step, _history, _clock.Elapsed)
        {
            StoppedEarly = stoppedEarly, StoppedOnRequest = stoppedOnRequest,
        };

        // The evaluation comes after saving: it is no part of the run that may go on from here. Weights that it finds to be the best so
        // far are those that the model has.
        void Stop(TReport last)
        {
            var answers = plan.AnswersAfter(Reached.Step) ? [] : Answer();
            if (plan.HasEvaluation && !plan.EvaluatesAfter(Reached.Step))
            {
                last = Evaluate(Timed(task.ReportAfter(Reached.Step)), best: null, cancellationToken);
                Publish(last, answers);
            }
            else
            {
                _report?.Add(Reached.Step, answers);
            }

            task.Stop(last);
        }

        IReadOnlyList<SampleAnswer> Answer()
        {
            if (!_ranks.IsFirst)
                return [];
            using var averages = UseAverages();
            return task.Answer(Reached.Step, cancellationToken);
        }

        void Publish(TReport report, IReadOnlyList<SampleAnswer> answers)
        {
            _history.Add(report);
            log.Write(report);
            _report?.Add(report.ToJson());
            _report?.Add(report.Step, answers);
            progress?.Report(answers.Count == 0 ? report : (TReport)(report with { Answers = answers }));
            task.Reported(report);
        }
    }

    /// <param name="report">Of the step.</param>
    /// <param name="best">Takes the weights where they are the best so far; null for none.</param>
    /// <param name="cancellationToken">Checked while it lasts.</param>
    private TReport Evaluate(TReport report, WeightSnapshot? best, CancellationToken cancellationToken)
    {
        using var averages = UseAverages();
        report = task.Evaluate(report, cancellationToken);
        if (report.JudgedLoss is not { } own)
            return report;
        var loss = _ranks.OfFirst(own);
        if (!double.IsFinite(loss))
            throw new TrainingDivergedException(Reached.Step, loss);
        (Reached, var isBest) = Reached.Judge(loss);
        if (plan.Plateau is { } after && Reached.Step > 0)
            Reached = Reached with { Plateau = after(Reached.Plateau ?? new PlateauState(), loss) };
        if (isBest && _ranks.IsFirst)
            best?.Save(task.Weights);
        return report;
    }

    /// <summary>Makes sure that all ranks have the same bits, even if their processors round differently.</summary>
    private void TakeWeightsOfFirst()
    {
        if (!_ranks.IsShared)
            return;
        _ranks.CopyFirst(task.RestoredWeights.Select(weights => weights.Value));
        task.WeightsChanged();
    }

    private AveragedWeights UseAverages() => AveragedWeights.Of(task.Players, task.WeightsChanged);

    private void WritePage(string? end = null, TimeSpan? remaining = null) =>
        _report?.WritePage(new RunStatus(Reached.Step, plan.TotalSteps, _clock.Elapsed, remaining, end));

    private TReport Timed(TReport report)
    {
        var elapsed = _clock.Elapsed;
        return (TReport)(report.WithSpeed(_amount / elapsed.TotalSeconds) with
        {
            TotalSteps = plan.TotalSteps,
            Elapsed = elapsed,
            Remaining = elapsed * ((double)(plan.TotalSteps - Reached.Step) / (Reached.Step - _firstStep)),
        });
    }

    private void Save(RunFolder folder)
    {
        var state = Reached with
        {
            Updates = [.. task.Players.Select(player => player.Optimizer.StepCount)], Computation = Computation, Task = task.State,
        };
        using var averages = AveragedWeights.ToSave(task.Players, task.WeightsChanged);
        if (!_ranks.IsFirst)
            return;
        SavedRun.Write(folder.Path, state, options.CheckpointLimit, inside =>
        {
            task.Save(inside);
            SafetensorsWriter.Write(Path.Combine(inside, OptimizerFile), OptimizerState);
            folder.Best.CopyInto(inside);
        });
    }

    /// <summary>Takes a saved run: all of it, or nothing where a file is damaged.</summary>
    private void Restore(string saved, RunState state, WeightSnapshot best)
    {
        if (state.Updates.Count != task.Players.Count)
        {
            throw new InvalidDataException(
                $"{SavedRun.StateFile} tells of {state.Updates.Count} optimizers; expected {task.Players.Count}.");
        }

        using var optimizers = SafetensorsFile.Open(Path.Combine(saved, OptimizerFile));
        WeightSnapshot.Check(OptimizerState, optimizers);
        best.CopyFrom(saved, task.Weights);
        if (state.BestValidationLoss is not null && !best.Exists)
            throw new FileNotFoundException($"The best weights that {SavedRun.StateFile} tells of are missing.");
        task.RestoreState(state.Task);
        task.Restore(saved);
        WeightSnapshot.CopyInto(OptimizerState, optimizers);
        if (task.Players.Any(player => player.Optimizer.HasOwnAverage))
            task.WeightsChanged(); // into those that are trained
        foreach (var (player, updates) in task.Players.Zip(state.Updates))
            player.Optimizer.StepCount = updates;
    }

    /// <summary>Brings weights, and after anything but divergence files, back to the last state that is known to be good.</summary>
    private void GoBack(RunFolder folder, bool diverged)
    {
        if (_reached is null)
        {
            if (folder.Start.Exists)
                folder.Start.Restore(task.Weights);
        }
        else if (diverged && Reached.BestValidationLoss is not null)
        {
            if (_ranks.IsFirst)
                folder.Best.Restore(task.Weights);
        }
        else
        {
            // What diverges now is computed with the weights of the last step done: a state saved with them is no good either.
            var saved = SavedRun.Newest(folder.Path, diverged ? Reached.Step - 1 : Reached.Step);
            if (saved is null)
                folder.Start.Restore(task.Weights);
            else
                task.Restore(saved.Folder);
            if (!diverged && folder.OutputDirectory is not null)
            {
                MetricsLog<TReport>.GoBackTo(folder.Path, saved?.Step);
                if (saved is not null)
                {
                    _report?.GoBackTo(saved.Step);
                }
                else
                {
                    _report?.Delete();
                    _report = null;
                }
            }
        }

        if (diverged)
            TakeWeightsOfFirst(); // all have come here; after another failure the others have not
    }

    private string DescribeCancellation(RunFolder folder)
    {
        var place = _reached is null ? "before its first step" : $"after step {Reached.Step} of {plan.TotalSteps}";
        if (!_ranks.IsFirst)
            return $"Training was cancelled {place}. What is kept of it is in the files of rank 0.";
        if (folder.OutputDirectory is null)
        {
            return $"Training was cancelled {place}. Nothing of it is kept: set {nameof(options.OutputDirectory)} and "
                + $"{options.CheckpointOption} to be able to go on, or end a run by StopAndKeep to have the model as it is.";
        }

        if (SavedRun.Newest(folder.Path) is not { } saved)
        {
            return $"Training was cancelled {place}. Nothing of it is kept: '{folder.Path}' has no checkpoint yet. Set "
                + $"{options.CheckpointOption} lower to have one earlier, or end a run by StopAndKeep to have the model as it is.";
        }

        return $"Training was cancelled {place}. '{saved.Folder}' is the last checkpoint: the same call goes on from it"
            + (options.Resume ? "." : $" with {nameof(options.Resume)} = true.");
    }
}
