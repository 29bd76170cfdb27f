namespace MLTransfer.Experiments;

/// <summary>What a regression is measured by: a metric of ML.NET's <c>RegressionMetrics</c>.</summary>
public enum RegressionMetric
{
    /// <summary>The mean of absolute errors; less is better.</summary>
    MeanAbsoluteError,

    /// <summary>The mean of squared errors; less is better.</summary>
    MeanSquaredError,

    /// <summary>The root of the mean of squared errors; less is better.</summary>
    RootMeanSquaredError,

    /// <summary>The share of the variance that is explained; more is better.</summary>
    RSquared,
}
