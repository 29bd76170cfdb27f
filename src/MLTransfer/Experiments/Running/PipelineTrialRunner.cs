using MLTransfer.Experiments.Pipelines;
using Microsoft.ML;

namespace MLTransfer.Experiments.Running;

/// <summary>Fits a pipeline with chosen options on training rows, and measures it on others.</summary>
internal sealed class PipelineTrialRunner(
    MLContext context, long seed, SweepablePipeline pipeline, IReadOnlyList<TrainValidateData> data, TrialMetric metric) : ITrialRunner
{
    public const string ParameterName = "_pipeline_";

    public Task<TrialResult> RunAsync(TrialSettings settings, CancellationToken ct)
    {
        var options = settings.Parameter.TryGetValue(ParameterName, out var chosen) ? chosen : Parameter.CreateNestedParameter();
        ITransformer? model = null;
        double sum = 0;
        foreach (var part in data)
        {
            ct.ThrowIfCancellationRequested();
            (model as IDisposable)?.Dispose(); // of several folds the last one's stays
            model = pipeline.BuildFromOption(context, options).Fit(part.Training(settings.Parameter, seed));
            try
            {
                sum += metric.Measure(context, model, part.Validation, ct);
            }
            catch
            {
                (model as IDisposable)?.Dispose();
                throw;
            }
        }

        var mean = sum / data.Count;
        return Task.FromResult(new TrialResult
        {
            TrialSettings = settings, Metric = mean, Loss = metric.IsMaximized ? -mean : mean, Model = model,
        });
    }

    public void Dispose()
    {
    }
}
