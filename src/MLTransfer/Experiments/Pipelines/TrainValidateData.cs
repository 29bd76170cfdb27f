using Microsoft.ML;

namespace MLTransfer.Experiments.Pipelines;

/// <summary>Rows that pipelines are fitted on, and those that they are measured on.</summary>
/// <param name="train">To fit on.</param>
/// <param name="validation">To measure on.</param>
internal sealed class TrainValidateData(IDataView train, IDataView validation)
{
    /// <summary>The search space of sub-sampling, and its option, as ML.NET names them.</summary>
    public const string SpaceName = "TrainValidateDatasetManager", OptionName = "TrainValidateDatasetSubsamplingKey";

    private readonly Lazy<int> _count = new(() => (int)(train.GetRowCount() ?? RowSample.Count(train)));

    public IDataView Validation => validation;

    /// <summary>The rows to fit on: all, or the share that the parameter says.</summary>
    /// <param name="parameter">Of a trial.</param>
    /// <param name="seed">Decides which rows a share has; a smaller share is a part of a larger one.</param>
    public IDataView Training(Parameter parameter, long seed)
    {
        if (!parameter.TryGetValue(SpaceName, out var space))
            return train;
        var share = space[OptionName].AsType<double>();
        return share >= 1 ? train : new RowSample(train, _count.Value, Math.Max(1, (int)Math.Round(share * _count.Value)), seed);
    }
}
