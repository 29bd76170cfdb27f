namespace MLTransfer.Experiments;

/// <summary>What a classification is measured by: a metric of ML.NET's <c>MulticlassClassificationMetrics</c>.</summary>
public enum MulticlassClassificationMetric
{
    /// <summary>The share of rows with the right class; more is better.</summary>
    MicroAccuracy,

    /// <summary>The mean over classes of the share of their rows with the right class; more is better.</summary>
    MacroAccuracy,

    /// <summary>The cross-entropy; less is better.</summary>
    LogLoss,

    /// <summary>How far the cross-entropy is below that of the classes' shares; more is better.</summary>
    LogLossReduction,
}
