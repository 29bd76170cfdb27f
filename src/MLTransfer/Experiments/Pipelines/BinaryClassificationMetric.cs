namespace MLTransfer.Experiments;

/// <summary>What a classification into two classes is measured by; more is better.</summary>
public enum BinaryClassificationMetric
{
    /// <summary>The share of rows with the right class.</summary>
    Accuracy,

    /// <summary>The area under the curve of true over false positives.</summary>
    AreaUnderRocCurve,

    /// <summary>The area under the curve of precision over recall.</summary>
    AreaUnderPrecisionRecallCurve,

    /// <summary>The harmonic mean of precision and recall.</summary>
    F1Score,
}
