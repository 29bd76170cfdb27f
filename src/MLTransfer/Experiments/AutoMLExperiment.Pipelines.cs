using MLTransfer.Experiments.Pipelines;
using MLTransfer.Experiments.Running;
using Microsoft.ML;
using static Microsoft.ML.DataOperationsCatalog;

namespace MLTransfer.Experiments;

/// <content>Trials of pipelines.</content>
public sealed partial class AutoMLExperiment
{
    private IReadOnlyList<TrainValidateData>? _data;
    private DataViewSchema? _schema;

    /// <summary>Sets the rows that pipelines are fitted on, and those that they are measured on.</summary>
    /// <param name="trainDataset">To fit on.</param>
    /// <param name="validationDataset">To measure on.</param>
    /// <param name="subSamplingTrainDataset">
    /// Whether the share of the rows that a pipeline is fitted on is an option like others, from 0.01 to 1 with 0.1 as its default, so that
    /// a search over many rows begins with few. The seed decides on the rows; those of a smaller share are among those of a larger one.
    /// </param>
    public AutoMLExperiment SetDataset(IDataView trainDataset, IDataView validationDataset, bool subSamplingTrainDataset = false)
    {
        ArgumentNullException.ThrowIfNull(trainDataset);
        ArgumentNullException.ThrowIfNull(validationDataset);
        SetData([new TrainValidateData(trainDataset, validationDataset)], trainDataset.Schema);
        if (subSamplingTrainDataset)
        {
            AddSearchSpace(TrainValidateData.SpaceName, new SearchSpace
            {
                [TrainValidateData.OptionName] = new UniformSingleOption(0.01f, 1, logBase: true, defaultValue: 0.1f),
            });
        }

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
        var parts = _context.Data.CrossValidationSplit(dataset, fold, samplingKeyColumnName);
        SetData([.. parts.Select(part => new TrainValidateData(part.TrainSet, part.TestSet))], dataset.Schema);
        return this;
    }

    /// <summary>Sets the pipeline whose options are searched. They are in the search space under the name <c>_pipeline_</c>.</summary>
    public AutoMLExperiment SetPipeline(SweepablePipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        SearchSpace.Remove(PipelineTrialRunner.ParameterName);
        AddSearchSpace(PipelineTrialRunner.ParameterName, pipeline.SearchSpace);
        _runner = services => new PipelineTrialRunner(
            _context, services.Seed, pipeline,
            _data ?? throw new InvalidOperationException($"There are no rows to fit the pipeline on: use {nameof(SetDataset)}."), _metric);
        return this;
    }

    private void SetData(IReadOnlyList<TrainValidateData> data, DataViewSchema schema)
    {
        SearchSpace.Remove(TrainValidateData.SpaceName);
        (_data, _schema) = (data, schema);
    }
}
