using System.Diagnostics.CodeAnalysis;
using MLTransfer.Experiments;
using Microsoft.ML;

namespace MLTransfer;

/// <content>Experiments: the search for options that train best.</content>
public sealed partial class GenerationCatalog
{
    /// <summary>Makes an experiment, which tries options one after another; it is told what by its own methods.</summary>
    /// <param name="settings">Null for defaults: the seed of the <see cref="MLContext"/>, and no limits.</param>
    public AutoMLExperiment CreateExperiment(AutoMLExperiment.AutoMLExperimentSettings? settings = null) =>
        new(_context, settings ?? new AutoMLExperiment.AutoMLExperimentSettings());

    /// <summary>Makes an estimator of options that an experiment chooses.</summary>
    /// <typeparam name="T">The class of options.</typeparam>
    /// <param name="factory">Makes the estimator of chosen options.</param>
    /// <param name="searchSpace">What is chosen from; null for what the attributes of <typeparamref name="T"/> say.</param>
    [SuppressMessage("Performance", "CA1822", Justification = "Called as mlContext.Generation.CreateSweepableEstimator, like the rest.")]
    public SweepableEstimator CreateSweepableEstimator<T>(
        Func<MLContext, T, IEstimator<ITransformer>> factory, SearchSpace<T>? searchSpace = null)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(factory);
        var space = searchSpace ?? new SearchSpace<T>();
        return new SweepableEstimator((context, parameter) => factory(context, space.ToOption(parameter)), space);
    }

    /// <summary>Makes an estimator of options that an experiment chooses.</summary>
    /// <param name="factory">Makes the estimator of chosen options.</param>
    /// <param name="searchSpace">What is chosen from.</param>
    [SuppressMessage("Performance", "CA1822", Justification = "Called as mlContext.Generation.CreateSweepableEstimator, like the rest.")]
    public SweepableEstimator CreateSweepableEstimator(
        Func<MLContext, Parameter, IEstimator<ITransformer>> factory, SearchSpace searchSpace) => new(factory, searchSpace);
}
