using MLTransfer.Experiments.Running;
using Microsoft.ML;
using static Microsoft.ML.DataOperationsCatalog;

namespace MLTransfer.Experiments;

/// <content>Trials of pipelines.</content>
public sealed partial class AutoMLExperiment
{
    private IReadOnlyList<(IDataView Train, IDataView Validation)>? _data;
    private DataViewSchema? _schema;

    /// <summary>Sets the rows that pipelines are fitted on, and those that they are measured on.</summary>
    public AutoMLExperiment SetDataset(IDataView trainDataset, IDataView validationDataset)
    {
        ArgumentNullException.ThrowIfNull(trainDataset);
        ArgumentNullException.ThrowIfNull(validationDataset);
        (_data, _schema) = ([(trainDataset, validationDataset)], trainDataset.Schema);
        return this;
    }

    /// <summary>
    /// Sets the rows that pipelines are fitted on (<c>TrainSet</c>), and those that they are measured on (<c>TestSet</c>).
    /// </summary>
    public AutoMLExperiment SetDataset(TrainTestData trainValidationSplit)
    {
        return SetDataset(trainValidationSplit.TrainSet, trainValidationSplit.TestSet);
    }

    /// <summary>
    /// Sets the rows for cross-validation: each trial fits as many pipelines, each measured on another part, and their mean counts. The
    /// model is that of the last part.
    /// </summary>
    /// <param name="dataset">All rows.</param>
    /// <param name="fold">The number of parts.</param>
    /// <param name="samplingKeyColumnName">Rows with equal values of this column are in one part; null for none.</param>
    public AutoMLExperiment SetDataset(IDataView dataset, int fold = 10, string? samplingKeyColumnName = null)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        OptionCheck.AtLeast(nameof(fold), fold, 2);
        _data =
        [
            .. _context.Data.CrossValidationSplit(dataset, fold, samplingKeyColumnName).Select(part => (part.TrainSet, part.TestSet)),
        ];
        _schema = dataset.Schema;
        return this;
    }

    /// <summary>Sets the pipeline whose options are searched. They are in the search space under the name <c>_pipeline_</c>.</summary>
    public AutoMLExperiment SetPipeline(SweepablePipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        SearchSpace.Remove(PipelineTrialRunner.ParameterName);
        AddSearchSpace(PipelineTrialRunner.ParameterName, pipeline.SearchSpace);
        _runner = _ => new PipelineTrialRunner(
            _context, pipeline,
            _data ?? throw new InvalidOperationException($"There are no rows to fit the pipeline on: use {nameof(SetDataset)}."), _metric);
        return this;
    }
}
