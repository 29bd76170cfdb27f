using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Experiments;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>The share of the training rows is an option.</summary>
public sealed class SubSamplingTests
{
    private const string Space = "TrainValidateDatasetManager", Option = "TrainValidateDatasetSubsamplingKey";
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void The_share_of_the_training_rows_is_searched_and_smaller_ones_are_parts_of_larger_ones()
    {
        var fitted = new List<float[]>();
        var pipeline = new SweepablePipeline().Append(_ml.Generation.CreateSweepableEstimator<Nothing>((_, _) => new Reader(_ml, fitted)));
        var all = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new Row { Value = i }));
        var experiment = _ml.Generation.CreateExperiment().SetMonitor(new RecordingMonitor()).SetRandomSearchTuner()
            .SetDataset(all, all, subSamplingTrainDataset: true).SetPipeline(pipeline)
            .SetMetric((_, data) => data.GetColumn<float>("Value").Count(), isMaximized: true).SetMaxModelToExplore(3);
        Parameter Share(double share) => Parameter.FromObject(new
        {
            TrainValidateDatasetManager = new { TrainValidateDatasetSubsamplingKey = share }, _pipeline_ = new { e0 = new { Any = 1 } },
        });

        var best = experiment.EnqueueTrial().EnqueueTrial(Share(0.5)).EnqueueTrial(Share(1)).Run();

        Assert.Equal(0.1f, experiment.Trials[0].TrialSettings.Parameter[Space][Option].AsType<float>()); // the default
        Assert.Equal([4, 20, 40], fitted.Select(values => values.Length));
        Assert.Empty(fitted[0].Except(fitted[1]));
        Assert.NotEqual([0, 1, 2, 3], fitted[0]);
        Assert.All(fitted, values => Assert.Equal(values.Order(), values)); // in their order
        Assert.Equal(40, best.Metric); // all rows are measured

        experiment.SetDataset(all, all); // and not any more
        Assert.Equal(["_pipeline_"], experiment.SearchSpace.Keys);
    }

    private sealed class Reader(MLContext ml, List<float[]> fitted) : IEstimator<ITransformer>
    {
        public ITransformer Fit(IDataView input)
        {
            fitted.Add([.. input.GetColumn<float>("Value")]);
            return ml.Transforms.CopyColumns("Copy", "Value").Fit(input);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => inputSchema;
    }

    private sealed class Row
    {
        public float Value { get; set; }
    }

    private sealed class Nothing
    {
        [Range(1, 2)]
        public int Any { get; set; } = 1;
    }
}
