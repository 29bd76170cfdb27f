using Microsoft.ML;

namespace MLTransfer.Experiments;

/// <summary>Pipelines of estimators whose options an experiment chooses.</summary>
public static class SweepableExtension
{
    /// <summary>An estimator, and after it another or one of several.</summary>
    public static SweepablePipeline Append(this IEstimator<ITransformer> estimator, params SweepableEstimator[] estimators) =>
        new SweepablePipeline().Append(estimator).Append(estimators);

    /// <summary>An estimator, and after it a pipeline.</summary>
    public static SweepablePipeline Append(this IEstimator<ITransformer> estimator, SweepablePipeline pipeline) =>
        new SweepablePipeline().Append(estimator).Append(pipeline);

    /// <summary>An estimator, and after it another or one of several.</summary>
    public static SweepablePipeline Append(this SweepableEstimator estimator, params SweepableEstimator[] estimators) =>
        new SweepablePipeline().Append([estimator]).Append(estimators);

    /// <summary>An estimator, and after it one without anything to choose.</summary>
    public static SweepablePipeline Append(this SweepableEstimator estimator, IEstimator<ITransformer> next) =>
        new SweepablePipeline().Append([estimator]).Append(next);

    /// <summary>An estimator, and after it a pipeline.</summary>
    public static SweepablePipeline Append(this SweepableEstimator estimator, SweepablePipeline pipeline) =>
        new SweepablePipeline().Append([estimator]).Append(pipeline);
}
