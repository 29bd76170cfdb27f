using MLTransfer.Experiments.Running;
using Microsoft.ML;

namespace MLTransfer.Experiments;

/// <content>Tuner, runner, monitor and pruner.</content>
public sealed partial class AutoMLExperiment
{
    /// <summary>Sets who chooses options; without it a <see cref="TpeTuner"/> does.</summary>
    public AutoMLExperiment SetTuner<TTuner>(TTuner tuner)
        where TTuner : class, ITuner
    {
        ArgumentNullException.ThrowIfNull(tuner);
        return Use(_ => tuner);
    }

    /// <summary>Sets who chooses options: an object of a class whose constructor takes a <see cref="Experiments.SearchSpace"/>.</summary>
    public AutoMLExperiment SetTuner<TTuner>()
        where TTuner : class, ITuner
    {
        _tuner = services => services.Create<TTuner>();
        return this;
    }

    /// <summary>Sets who chooses options.</summary>
    /// <param name="factory">
    /// Made when the experiment begins; has the <see cref="MLContext"/>, the <see cref="AutoMLExperimentSettings"/> and the
    /// <see cref="Experiments.SearchSpace"/>.
    /// </param>
    public AutoMLExperiment SetTuner<TTuner>(Func<IServiceProvider, TTuner> factory)
        where TTuner : class, ITuner
    {
        ArgumentNullException.ThrowIfNull(factory);
        _tuner = factory;
        return this;
    }

    /// <summary>Chooses at random; see <see cref="RandomSearchTuner"/>.</summary>
    public AutoMLExperiment SetRandomSearchTuner(int? seed = null) =>
        Use(services => new RandomSearchTuner(SearchSpace, seed ?? services.Seed));

    /// <summary>Goes through a grid; see <see cref="GridSearchTuner"/>.</summary>
    /// <param name="step">The most values of a range.</param>
    public AutoMLExperiment SetGridSearchTuner(int step = 10) => Use(_ => new GridSearchTuner(SearchSpace, step));

    /// <summary>Goes from the defaults to what is better nearby; see <see cref="CostFrugalTuner"/>.</summary>
    public AutoMLExperiment SetCostFrugalTuner() => Use(services => new CostFrugalTuner(SearchSpace, services.Seed));

    /// <summary>Chooses by the forecast of a forest; see <see cref="SmacTuner"/>.</summary>
    /// <param name="numberOfInitialTrials">Trials that are drawn at random first.</param>
    /// <param name="numberOfTrees">Of the forest.</param>
    public AutoMLExperiment SetSmacTuner(int numberOfInitialTrials = 10, int numberOfTrees = 10) =>
        Use(services => new SmacTuner(SearchSpace, services.Seed, numberOfInitialTrials, numberOfTrees));

    /// <summary>Chooses by densities of good and other trials; see <see cref="TpeTuner"/>.</summary>
    /// <param name="startupTrials">Trials that are drawn at random first.</param>
    public AutoMLExperiment SetTpeTuner(int startupTrials = 10) =>
        Use(services => new TpeTuner(SearchSpace, services.Seed, startupTrials));

    /// <summary>Chooses by an evolution strategy; see <see cref="CmaEsTuner"/>.</summary>
    public AutoMLExperiment SetCmaEsTuner() => Use(services => new CmaEsTuner(SearchSpace, services.Seed));

    /// <summary>Sets who does trials, instead of a pipeline.</summary>
    public AutoMLExperiment SetTrialRunner<TTrialRunner>(TTrialRunner runner)
        where TTrialRunner : class, ITrialRunner
    {
        ArgumentNullException.ThrowIfNull(runner);
        _runner = _ => runner;
        return this;
    }

    /// <summary>Sets who does trials: an object of a class whose constructor takes an <see cref="MLContext"/>, or nothing.</summary>
    public AutoMLExperiment SetTrialRunner<TTrialRunner>()
        where TTrialRunner : class, ITrialRunner
    {
        _runner = services => services.Create<TTrialRunner>();
        return this;
    }

    /// <summary>Sets who does trials.</summary>
    /// <param name="factory">
    /// Made when the experiment begins; has the <see cref="MLContext"/>, the <see cref="AutoMLExperimentSettings"/> and the
    /// <see cref="Experiments.SearchSpace"/>.
    /// </param>
    public AutoMLExperiment SetTrialRunner<TTrialRunner>(Func<IServiceProvider, TTrialRunner> factory)
        where TTrialRunner : class, ITrialRunner
    {
        ArgumentNullException.ThrowIfNull(factory);
        _runner = factory;
        return this;
    }

    /// <summary>Sets who is told how the experiment goes on; without it the log of the context is.</summary>
    public AutoMLExperiment SetMonitor<TMonitor>(TMonitor monitor)
        where TMonitor : class, IMonitor
    {
        ArgumentNullException.ThrowIfNull(monitor);
        _monitor = _ => monitor;
        return this;
    }

    /// <summary>Sets who is told: an object of a class whose constructor takes an <see cref="MLContext"/>, or nothing.</summary>
    public AutoMLExperiment SetMonitor<TMonitor>()
        where TMonitor : class, IMonitor
    {
        _monitor = services => services.Create<TMonitor>();
        return this;
    }

    /// <summary>Sets who is told how the experiment goes on.</summary>
    /// <param name="factory">Made when the experiment begins.</param>
    public AutoMLExperiment SetMonitor<TMonitor>(Func<IServiceProvider, TMonitor> factory)
        where TMonitor : class, IMonitor
    {
        ArgumentNullException.ThrowIfNull(factory);
        _monitor = factory;
        return this;
    }

    /// <summary>
    /// Sets who ends trials early. Trainings in a pipeline report each evaluation on their validation rows, counted from 1; a runner
    /// reports with <see cref="TrialSettings.Report"/>.
    /// </summary>
    /// <param name="pruner">It must not have seen other trials.</param>
    public AutoMLExperiment SetPruner(IPruner pruner)
    {
        ArgumentNullException.ThrowIfNull(pruner);
        _pruner = pruner;
        return this;
    }

    /// <summary>
    /// Sets how often it is looked at what a trial uses of memory and processors, which its result tells; not said, ten times a second.
    /// </summary>
    public AutoMLExperiment SetPerformanceMonitor(int checkIntervalInMilliseconds = 1000)
    {
        OptionCheck.AtLeast(nameof(checkIntervalInMilliseconds), checkIntervalInMilliseconds, 1);
        _settings.CheckIntervalInMilliseconds = checkIntervalInMilliseconds;
        return this;
    }

    /// <summary>
    /// Sets who is told what a trial uses: an object of a class whose constructor takes an <see cref="MLContext"/>, or nothing.
    /// </summary>
    public AutoMLExperiment SetPerformanceMonitor<TPerformanceMonitor>()
        where TPerformanceMonitor : class, IPerformanceMonitor
    {
        _performanceMonitor = services => services.Create<TPerformanceMonitor>();
        return this;
    }

    /// <summary>Sets who is told what a trial uses of memory and processors, and may end it.</summary>
    /// <param name="factory">Made when the experiment begins.</param>
    public AutoMLExperiment SetPerformanceMonitor<TPerformanceMonitor>(Func<IServiceProvider, TPerformanceMonitor> factory)
        where TPerformanceMonitor : class, IPerformanceMonitor
    {
        ArgumentNullException.ThrowIfNull(factory);
        _performanceMonitor = factory;
        return this;
    }

    private AutoMLExperiment Use(Func<ExperimentServices, ITuner> tuner)
    {
        _tuner = tuner;
        return this;
    }
}
