using MLTransfer.Experiments.Running;
using MLTransfer.Experiments.Spaces;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Experiments;

/// <summary>
/// Searches for the options that train best: a tuner chooses options, a trial trains and measures with them, and so on, in the shape of
/// ML.NET's class of this name.
/// </summary>
/// <remarks>
/// With <see cref="SetCheckpoint"/> an experiment that was killed goes on where it was, the trial that was under way from its own
/// checkpoint. A trial that fails is recorded, and the others go on. Trials run one after another, each in a process of its own where that
/// can be; <see cref="SetTrialProcesses"/> says otherwise.
/// </remarks>
public sealed partial class AutoMLExperiment
{
    private readonly MLContext _context;
    private readonly AutoMLExperimentSettings _settings;
    private readonly List<Parameter> _given = [];
    private Func<ExperimentServices, ITuner>? _tuner;
    private Func<ExperimentServices, ITrialRunner>? _runner;
    private Func<ExperimentServices, IMonitor>? _monitor;
    private Func<ExperimentServices, IPerformanceMonitor>? _performanceMonitor;
    private IPruner? _pruner;
    private volatile ExperimentRun? _run;
    private static int s_experiments;

    internal AutoMLExperiment(MLContext context, AutoMLExperimentSettings settings) => (_context, _settings) = (context, settings);

    /// <summary>
    /// Whether this process was started for a trial, which it serves where the program comes to the experiment: what is done before for
    /// somebody to look at, or to be kept, can be left out.
    /// </summary>
    public static bool IsTrialProcess => TrialPipe.Served is not null;

    /// <summary>The trials that ended so far, in their order; those of the journal come first.</summary>
    public IReadOnlyList<TrialResult> Trials { get; private set; } = [];

    /// <summary>What was found so far: trade-offs, importances, a table, a page.</summary>
    public ExperimentReport Report => new(SearchSpace, Trials);

    /// <summary>What is searched: the spaces of <see cref="AddSearchSpace"/> and of the pipeline, by their names.</summary>
    public SearchSpace SearchSpace => _settings.SearchSpace;

    /// <summary>Limits the time of all trials together; the trial that is under way then is ended.</summary>
    public AutoMLExperiment SetTrainingTimeInSeconds(uint trainingTimeInSeconds)
    {
        _settings.MaxExperimentTimeInSeconds = trainingTimeInSeconds;
        return this;
    }

    /// <summary>Limits the number of trials, those of the journal among them.</summary>
    public AutoMLExperiment SetMaxModelToExplore(int maxModelToExplore)
    {
        OptionCheck.AtLeast(nameof(maxModelToExplore), maxModelToExplore, 1);
        _settings.MaxModels = maxModelToExplore;
        return this;
    }

    /// <summary>
    /// Limits the tokens that language models are trained on in all trials together; the trial under way then ends by itself.
    /// </summary>
    public AutoMLExperiment SetMaxTokensToTrain(long maxTokensToTrain)
    {
        OptionCheck.AtLeast(nameof(maxTokensToTrain), maxTokensToTrain, 1);
        _settings.MaxTokens = maxTokensToTrain;
        return this;
    }

    /// <summary>Ends a trial, as failed, during which the process has more memory.</summary>
    public AutoMLExperiment SetMaximumMemoryUsageInMegaByte(double value = double.MaxValue)
    {
        if (!(value > 0))
            throw new ArgumentOutOfRangeException(nameof(value), value, "The memory must be above 0.");
        _settings.MaximumMemoryUsageInMegaByte = value;
        return this;
    }

    /// <summary>Adds options that a trial finds in its parameter under a name.</summary>
    /// <exception cref="ArgumentException">The name is taken, or conditions of the space do not hold together.</exception>
    public AutoMLExperiment AddSearchSpace(string key, SearchSpace searchSpace)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        ArgumentNullException.ThrowIfNull(searchSpace);
        _ = new FlatSpace(searchSpace);
        SearchSpace.Add(key, searchSpace);
        return this;
    }

    /// <summary>
    /// Says how many trials run at a time, each in a process of its own: its memory is given back, and where it crashes a trial has failed.
    /// This program is started anew with the same arguments; it serves a trial when it comes to the same experiment, and ends there, so
    /// that data and functions need not be sent. Until then it must do the same as before, without asking anybody or writing over files;
    /// <see cref="IsTrialProcess"/> tells it what it may leave out.
    /// </summary>
    /// <param name="concurrent">
    /// Trials at a time, which share the cores; 0 for trials in this process. Not said, it is one process at a time where <c>Main</c> runs
    /// the experiment, and this process where the program cannot be started anew: in tests, notebooks and services.
    /// </param>
    public AutoMLExperiment SetTrialProcesses(int concurrent = 1)
    {
        OptionCheck.AtLeast(nameof(concurrent), concurrent, 0);
        _settings.TrialProcesses = concurrent;
        return this;
    }

    /// <summary>
    /// Keeps all that happens in a folder: <c>journal.jsonl</c>, a folder for each trial, the best model and, renewed as
    /// trials end, <c>experiment.html</c> and <c>trials.csv</c>. An experiment of the same space, tuner and seed goes on from there.
    /// </summary>
    /// <param name="folder">The folder; it is made where it is missing.</param>
    /// <param name="checkpointSteps">
    /// Steps between the checkpoints of a trial's trainings, from which it goes on; options of a training that say it themselves decide. 0
    /// for none.
    /// </param>
    public AutoMLExperiment SetCheckpoint(string folder, int checkpointSteps = 100)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        OptionCheck.AtLeast(nameof(checkpointSteps), checkpointSteps, 0);
        (_settings.CheckpointFolder, _settings.CheckpointSteps) = (folder, checkpointSteps);
        return this;
    }

    /// <summary>Adds values that are tried before the tuner chooses any: those of a known recipe.</summary>
    /// <param name="parameter">Values of <see cref="SearchSpace"/>; null for its defaults.</param>
    /// <exception cref="ArgumentException">A value is outside of its option; the message names it.</exception>
    public AutoMLExperiment EnqueueTrial(Parameter? parameter = null)
    {
        var space = new FlatSpace(SearchSpace);
        _given.Add(space.ToParameter(parameter is null ? space.Default : space.FromParameter(parameter)));
        return this;
    }

    /// <summary>Ends the trial that is under way, and goes on with the next. Callable from any thread.</summary>
    public void SkipCurrentTrial() => _run?.Skip();

    /// <summary>Ends the experiment after the trial that is under way. Callable from any thread.</summary>
    public void StopAfterCurrent() => _run?.StopAfterCurrent();

    /// <summary>Searches, and waits for the end.</summary>
    /// <inheritdoc cref="RunAsync"/>
    public TrialResult Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Searches until a limit is reached, the tuner has nothing left, or somebody ends it.</summary>
    /// <param name="ct">Ends it at once; a trial that is under way is begun again by the next run from the same folder.</param>
    /// <returns>The best trial. Its model is the caller's; models of other trials are disposed.</returns>
    /// <exception cref="InvalidOperationException">
    /// There is nothing to search, no runner or no limit, a run is under way, or no trial was completed and one failed.
    /// </exception>
    /// <exception cref="TimeoutException">The time was over before a trial was completed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before a trial was completed.</exception>
    /// <exception cref="InvalidDataException">The journal is damaged, or of another experiment.</exception>
    /// <exception cref="IOException">A file cannot be written, or the folder is in use by another experiment.</exception>
    public async Task<TrialResult> RunAsync(CancellationToken ct = default)
    {
        if (SearchSpace.FeatureSpaceDim == 0)
            throw new InvalidOperationException($"There is nothing to search: use {nameof(AddSearchSpace)} or {nameof(SetPipeline)}.");
        var hosting = TrialHosting.Of(_settings, Interlocked.Increment(ref s_experiments));
        if (TrialPipe.Served is { } served && hosting.Experiment == served.Experiment)
            await TrialService.ServeAsync(_context, served.Name, seed => Plan(seed, hosting), _schema).ConfigureAwait(false);
        using var journal = hosting.OpenJournal();
        var head = journal?.Lines.OfType<JournalLine.Head>().FirstOrDefault();
        var plan = Plan(_settings.Seed ?? ((IHostEnvironmentInternal)_context).Seed ?? head?.Seed ?? Random.Shared.Next(), hosting);
        using var runner = plan.Runner;
        JournalHead.Check(plan, journal, head);
        var best = new BestModel(_context, hosting.Folder, _schema);
        var history = new TrialHistory(plan, journal);
        if (TrialPipe.Served is null)
            await ExploreAsync(plan, history, best, hosting, ct).ConfigureAwait(false);
        else
            history.Replay(); // what this process is started for comes later
        Trials = [.. history.Results];
        if (history.Best is not { } result)
            throw NoResult(history.Results, ct);
        result.Model ??= best.Load(result);
        return result;
    }

    private async Task ExploreAsync(ExperimentPlan plan, TrialHistory history, BestModel best, TrialHosting hosting, CancellationToken ct)
    {
        var report = new LiveReport(_settings.CheckpointFolder, () => Report);
        var run = new ExperimentRun(plan, history, HostOf(plan, hosting), best, () =>
        {
            Trials = [.. history.Results];
            report.Refresh();
        });
        if (Interlocked.CompareExchange(ref _run, run, null) is not null)
            throw new InvalidOperationException("The experiment is running already.");
        try
        {
            await run.RunAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            Trials = [.. history.Results];
            _run = null;
            report.Write();
        }
    }

    private ITrialHost HostOf(ExperimentPlan plan, TrialHosting hosting)
    {
        if (hosting.Obstacle is { } obstacle)
            Tell(obstacle);
        return hosting.Processes == 0 ? new InProcessHost(plan)
            : hosting.Patience is null ? new ProcessHost(plan, hosting)
            : new FallbackHost(new ProcessHost(plan, hosting), new InProcessHost(plan), Tell);

        void Tell(string reason) => new MLContextMonitor(_context).Info($"Trials run in this process: {reason}");
    }

    private ExperimentPlan Plan(long seed, TrialHosting hosting)
    {
        var services = new ExperimentServices(seed, _context, _settings, SearchSpace);
        if (_runner is null)
            throw new InvalidOperationException(
                $"There is nothing to try options with: use {nameof(SetPipeline)} or {nameof(SetTrialRunner)}.");
        var tuner = _tuner?.Invoke(services) ?? new TpeTuner(SearchSpace, seed);
        if (_settings is { MaxExperimentTimeInSeconds: null, MaxModels: null, MaxTokens: null } && tuner is not GridSearchTuner)
        {
            throw new InvalidOperationException(
                $"The experiment would never end: use {nameof(SetTrainingTimeInSeconds)}, {nameof(SetMaxModelToExplore)} or "
                + $"{nameof(SetMaxTokensToTrain)}.");
        }

        return new ExperimentPlan
        {
            Seed = seed, SearchSpace = SearchSpace, Tuner = tuner, Runner = _runner(services), Pruner = _pruner, Given = [.. _given],
            Monitor = _monitor?.Invoke(services) ?? new MLContextMonitor(_context),
            Time = _settings.MaxExperimentTimeInSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Trials = _settings.MaxModels, Tokens = _settings.MaxTokens, Megabytes = _settings.MaximumMemoryUsageInMegaByte,
            CheckInterval = TimeSpan.FromMilliseconds(_settings.CheckIntervalInMilliseconds),
            PerformanceMonitor = _performanceMonitor?.Invoke(services),
            Folder = hosting.Folder, CheckpointSteps = hosting.CheckpointSteps, Concurrent = Math.Max(1, hosting.Processes),
        };
    }

    private static Exception NoResult(IReadOnlyList<TrialResult> results, CancellationToken ct) =>
        results.LastOrDefault(result => result.State == TrialState.Failed) is { } failed
            ? new InvalidOperationException(
                $"None of {results.Count} trials was completed. Trial {failed.TrialSettings.TrialId} failed: {failed.Error}")
            : ct.IsCancellationRequested
                ? new OperationCanceledException("The experiment was cancelled before a trial was completed.", ct)
                : new TimeoutException("The experiment ended before a trial was completed: give it more time, or trials.");
}
