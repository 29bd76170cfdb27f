using MLTransfer.Experiments.Running;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Experiments;

/// <content>Metrics of pipelines.</content>
public sealed partial class AutoMLExperiment
{
    private TrialMetric _metric = TrialMetric.OfTexts;

    /// <summary>
    /// Sets what pipelines are measured by. Without it, a pipeline with a model of texts is measured by the cross-entropy of
    /// <c>ml.Generation.Evaluate</c> or <c>EvaluateInfilling</c>.
    /// </summary>
    /// <param name="metric">Measures a fitted pipeline on the validation rows.</param>
    /// <param name="isMaximized">Whether more is better.</param>
    public AutoMLExperiment SetMetric(Func<ITransformer, IDataView, double> metric, bool isMaximized = false)
    {
        ArgumentNullException.ThrowIfNull(metric);
        return SetMetric((_, model, data, _) => metric(model, data), isMaximized);
    }

    /// <summary>Measures pipelines by <c>ml.Regression.Evaluate</c>.</summary>
    /// <param name="metric">Which number.</param>
    /// <param name="labelColumn">The column of right values.</param>
    /// <param name="scoreColumn">The column of forecasts.</param>
    public AutoMLExperiment SetRegressionMetric(RegressionMetric metric, string labelColumn = "Label", string scoreColumn = "Score")
    {
        Func<RegressionMetrics, double> number = metric switch
        {
            RegressionMetric.MeanAbsoluteError => metrics => metrics.MeanAbsoluteError,
            RegressionMetric.MeanSquaredError => metrics => metrics.MeanSquaredError,
            RegressionMetric.RootMeanSquaredError => metrics => metrics.RootMeanSquaredError,
            RegressionMetric.RSquared => metrics => metrics.RSquared,
            _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "There is no such metric."),
        };
        return SetMetric(
            (context, model, data, _) => number(context.Regression.Evaluate(model.Transform(data), labelColumn, scoreColumn)),
            metric == RegressionMetric.RSquared);
    }

    /// <summary>Measures pipelines by <c>ml.BinaryClassification</c>.</summary>
    /// <param name="metric">Which number.</param>
    /// <param name="labelColumn">The column of right classes.</param>
    /// <param name="predictedColumn">The column of forecast classes.</param>
    /// <param name="scoreColumn">The column of scores.</param>
    public AutoMLExperiment SetBinaryClassificationMetric(
        BinaryClassificationMetric metric, string labelColumn = "Label", string predictedColumn = "PredictedLabel",
        string scoreColumn = "Score")
    {
        Func<BinaryClassificationMetrics, double> number = metric switch
        {
            BinaryClassificationMetric.Accuracy => metrics => metrics.Accuracy,
            BinaryClassificationMetric.AreaUnderRocCurve => metrics => metrics.AreaUnderRocCurve,
            BinaryClassificationMetric.AreaUnderPrecisionRecallCurve => metrics => metrics.AreaUnderPrecisionRecallCurve,
            BinaryClassificationMetric.F1Score => metrics => metrics.F1Score,
            _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "There is no such metric."),
        };
        return SetMetric(
            (context, model, data, _) => number(context.BinaryClassification.EvaluateNonCalibrated(
                model.Transform(data), labelColumn, scoreColumn, predictedColumn)),
            isMaximized: true);
    }

    /// <summary>Measures pipelines by <c>ml.MulticlassClassification.Evaluate</c>.</summary>
    /// <param name="metric">Which number.</param>
    /// <param name="labelColumn">The key column of right classes.</param>
    /// <param name="predictedColumn">The column of forecast classes.</param>
    /// <param name="scoreColumn">The column of scores.</param>
    public AutoMLExperiment SetMulticlassClassificationMetric(
        MulticlassClassificationMetric metric, string labelColumn = "Label", string predictedColumn = "PredictedLabel",
        string scoreColumn = "Score")
    {
        Func<MulticlassClassificationMetrics, double> number = metric switch
        {
            MulticlassClassificationMetric.MicroAccuracy => metrics => metrics.MicroAccuracy,
            MulticlassClassificationMetric.MacroAccuracy => metrics => metrics.MacroAccuracy,
            MulticlassClassificationMetric.LogLoss => metrics => metrics.LogLoss,
            MulticlassClassificationMetric.LogLossReduction => metrics => metrics.LogLossReduction,
            _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, "There is no such metric."),
        };
        return SetMetric(
            (context, model, data, _) => number(context.MulticlassClassification.Evaluate(
                model.Transform(data), labelColumn, scoreColumn, predictedColumn)),
            metric != MulticlassClassificationMetric.LogLoss);
    }

    private AutoMLExperiment SetMetric(Func<MLContext, ITransformer, IDataView, CancellationToken, double> measure, bool isMaximized)
    {
        _metric = new TrialMetric(measure, isMaximized);
        return this;
    }
}
