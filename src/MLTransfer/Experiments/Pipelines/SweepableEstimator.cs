using Microsoft.ML;

namespace MLTransfer.Experiments;

/// <summary>An estimator whose options an experiment chooses.</summary>
public sealed class SweepableEstimator
{
    private readonly Func<MLContext, Parameter, IEstimator<ITransformer>> _factory;

    /// <param name="factory">Makes the estimator of chosen options.</param>
    /// <param name="searchSpace">What is chosen from.</param>
    public SweepableEstimator(Func<MLContext, Parameter, IEstimator<ITransformer>> factory, SearchSpace searchSpace)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ArgumentNullException.ThrowIfNull(searchSpace);
        (_factory, SearchSpace) = (factory, searchSpace);
    }

    /// <summary>What is chosen from; empty where there is nothing to choose.</summary>
    public SearchSpace SearchSpace { get; }

    /// <summary>Makes the estimator of chosen options.</summary>
    /// <param name="context">What it belongs to.</param>
    /// <param name="parameter">Values of <see cref="SearchSpace"/>.</param>
    public IEstimator<ITransformer> BuildFromOption(MLContext context, Parameter parameter) => _factory(context, parameter);
}
