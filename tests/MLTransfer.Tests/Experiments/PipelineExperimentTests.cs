using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLTransfer.Experiments;
using MLTransfer.Tests.Images;
using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Described;
using Xunit;

namespace MLTransfer.Tests.Experiments;

/// <summary>Experiments over pipelines that train.</summary>
public sealed class PipelineExperimentTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingMonitor _monitor = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Options_of_a_text_generator_are_searched_and_the_best_model_is_kept()
    {
        var experiment = Experiment(_folder["run"]).SetMaxModelToExplore(3);

        var best = experiment.Run();

        Assert.Equal(3, experiment.Trials.Count);
        Assert.Equal(experiment.Trials.Min(trial => trial.Loss), best.Loss);
        using var model = Assert.IsAssignableFrom<IDisposable>(best.Model);
        Assert.Equal(best.Loss, _ml.Generation.Evaluate(best.Model!, TextExperiment.Rows(_ml, 8, 4)).Loss);
        Assert.All(experiment.Trials.Where(trial => trial != best), trial => Assert.Null(trial.Model));
        Assert.All(experiment.Trials, trial => Assert.True(trial.Tokens > 100 && trial.DurationInMilliseconds > 0));
        Assert.Empty(Directory.EnumerateDirectories(_folder["run"], "checkpoint-*", SearchOption.AllDirectories));
        Assert.True(File.Exists(_folder["run/trial-0/training-0/metrics.jsonl"]));
        Assert.Equal(experiment.Report.ToCsv(), File.ReadAllText(_folder["run/trials.csv"]));
        Assert.Contains("<h2>Options</h2>", File.ReadAllText(_folder["run/experiment.html"]), StringComparison.Ordinal);

        var again = Experiment(_folder["run"]).SetMaxModelToExplore(3).Run(); // the model comes from its file
        using var loaded = Assert.IsAssignableFrom<IDisposable>(again.Model);
        Assert.Equal(best.Loss, _ml.Generation.Evaluate(again.Model!, TextExperiment.Rows(_ml, 8, 4)).Loss, 1e-6);
    }

    [Fact]
    public void Page_and_table_are_there_while_trials_go_on()
    {
        var (table, page, ended) = ("", "", 0);
        AutoMLExperiment? experiment = null;
        experiment = Experiment(_folder["run"], (trial, step) =>
        {
            if ((trial, step) == (1, 1))
            {
                (table, page) = (File.ReadAllText(_folder["run/trials.csv"]), File.ReadAllText(_folder["run/experiment.html"]));
                ended = experiment!.Trials.Count;
            }
        }).SetMaxModelToExplore(2);

        using var model = (IDisposable)experiment.Run().Model!;

        Assert.Equal((1, 2), (ended, table.Count(character => character == '\n')));
        Assert.Contains("<p>1 trials: 1 completed.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_trial_goes_on_from_its_checkpoint_and_ends_with_the_same_bits()
    {
        var whole = Experiment(_folder["whole"]).SetMaxModelToExplore(2);
        using var expected = (IDisposable)(await whole.RunAsync()).Model!;

        using var source = new CancellationTokenSource();
        var steps = new List<int>();
        await Experiment(_folder["run"], (trial, step) =>
        {
            if (trial == 1 && step == 5)
                source.Cancel();
        }).SetMaxModelToExplore(2).RunAsync(source.Token);
        var resumed = Experiment(_folder["run"], (trial, step) =>
        {
            if (trial == 1)
                steps.Add(step);
        }).SetMaxModelToExplore(2);
        using var actual = (IDisposable)(await resumed.RunAsync()).Model!;

        Assert.Equal([5, 6, 7, 8], steps); // from the checkpoint of step 4
        Assert.Equal(Told(whole), Told(resumed));
        Assert.Equal(Bytes(expected), Bytes(actual));
    }

    [Fact]
    public async Task Killed_process_leaves_an_experiment_that_goes_on_as_if_nothing_had_happened()
    {
        var whole = Experiment(_folder["whole"]).SetMaxModelToExplore(2);
        using var expected = (IDisposable)whole.Run().Model!;

        var (exitCode, _, errors) = await TestProcess.RunAsync(
            _folder.Path, "experiment", TestData.TinyModel, _folder["run"], "2", "1", "5", "0");
        Assert.True(exitCode != 0 && errors.Length == 0, $"exit code {exitCode}: {errors}");
        var steps = new List<int>();
        var resumed = Experiment(_folder["run"], (trial, step) =>
        {
            if (trial == 1)
                steps.Add(step);
        }).SetMaxModelToExplore(2);
        using var actual = (IDisposable)(await resumed.RunAsync()).Model!;

        Assert.Equal([5, 6, 7, 8], steps);
        Assert.Equal(Told(whole), Told(resumed));
        Assert.Equal(Bytes(expected), Bytes(actual));
    }

    [Fact]
    public void Evaluations_during_training_end_trials_early()
    {
        Parameter Rate(double rate) => Parameter.FromObject(new { _pipeline_ = new { e0 = new { Rate = rate, UsesAdapters = false } } });
        var experiment = Experiment(_folder["run"]).SetMaxModelToExplore(3).SetPruner(new MedianPruner(startupTrials: 2));

        experiment.EnqueueTrial(Rate(5e-3)).EnqueueTrial(Rate(4e-3)).EnqueueTrial(Rate(1e-6)).Run();

        Assert.Equal([TrialState.Completed, TrialState.Completed, TrialState.Pruned], experiment.Trials.Select(trial => trial.State));
        Assert.Equal([1, 2, 3, 4], experiment.Trials[0].Reports.Select(report => report.Step));
        Assert.Equal(1, Assert.Single(experiment.Trials[2].Reports).Step);
        Assert.InRange(experiment.Trials[2].Tokens, 1, experiment.Trials[0].Tokens - 1);
        Assert.All(experiment.Trials, trial => Assert.NotNull(trial.PeakMemoryInMegaByte));
    }

    [Fact]
    public void The_tokens_of_all_trials_together_are_limited()
    {
        var experiment = Experiment(null).SetMaxTokensToTrain(1);
        using var model = (IDisposable)experiment.Run().Model!;
        Assert.Single(experiment.Trials);
    }

    [Fact]
    public void One_of_several_estimators_is_chosen_with_its_own_options()
    {
        var first = _ml.Generation.CreateSweepableEstimator<NetworkOptions>((ml, o) => Network(ml, o, Layer.Dense(2)));
        var second = _ml.Generation.CreateSweepableEstimator<NetworkOptions>((ml, o) => Network(ml, o, Layer.Dense(4), Layer.Dense(2)));
        var pipeline = _ml.Transforms.CopyColumns("Where", "Place").Append(first, second);
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(12));
        var losses = new List<double>();
        var experiment = _ml.Generation.CreateExperiment().SetMonitor(_monitor).SetDataset(data, fold: 2).SetPipeline(pipeline)
            .SetGridSearchTuner(2).SetMetric((model, view) =>
            {
                losses.Add(model.Transform(view).GetRowCount() ?? view.Preview().RowView.Length);
                return losses[^1];
            }, isMaximized: true);

        var best = experiment.Run();

        using var model = (IDisposable)best.Model!;
        Assert.Equal(["stage1", "e1", "e2"], pipeline.SearchSpace.Keys);
        Assert.Equal(4, experiment.Trials.Count);
        Assert.Equal(
            ["e1", "e1", "e2", "e2"],
            experiment.Trials.Select(trial => trial.TrialSettings.Parameter["_pipeline_"]["stage1"].AsType<string>()));
        Assert.All(experiment.Trials, trial => Assert.Equal(-trial.Loss, trial.Metric));
        Assert.Equal(8, losses.Count); // two folds each
    }

    [Theory]
    [InlineData("infiller")]
    [InlineData("image")]
    [InlineData("network")]
    public void Trainings_of_every_kind_save_themselves_in_the_folder_of_their_trial(string kind)
    {
        var stories = TextExperiment.Rows(_ml, 0, 6);
        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(8));
        var pictures = _ml.Data.LoadFromEnumerable(
            Drawings.Make(8).Select((drawing, i) => new Picture { Seed = i, Image = drawing.Image }));
        var space = new SearchSpace { ["Steps"] = new ChoiceOption(2) };
        var (data, estimator) = kind switch
        {
            "infiller" => (stories, _ml.Generation.CreateSweepableEstimator((ml, o) => ml.Transforms.Text.FineTuneTextInfiller(
                "Filled", "Text", options: new TextInfillerOptions
                {
                    PretrainedModel = RepositoryFiles.Data("families/distilbert-tiny"),
                    Training = new() { MaximumSteps = o["Steps"].AsType<int>(), BatchSize = 2 },
                }), space)),
            "image" => (pictures, _ml.Generation.CreateSweepableEstimator((ml, o) => ml.Transforms.FineTuneImageGenerator(
                "Picture", "Seed", "Image", TinyGenerator.Options(TinyGenerator.Save(_folder), options => { })), space)),
            _ => (drawings, _ml.Generation.CreateSweepableEstimator((ml, o) => Network(ml, new() { Epochs = 1 }, Layer.Dense(2)), space)),
        };
        var pipeline = kind == "network" ? _ml.Transforms.CopyColumns("Where", "Place").Append(estimator)
            : new SweepablePipeline().Append([estimator]);
        var folders = new List<bool>();
        var experiment = _ml.Generation.CreateExperiment().SetMonitor(_monitor).SetDataset(data, data).SetPipeline(pipeline)
            .SetCheckpoint(_folder["run"], checkpointSteps: 1).SetMaxModelToExplore(1).SetMetric((_, _) =>
            {
                folders.Add(Directory.EnumerateDirectories(_folder["run/trial-0/training-0"], "checkpoint-*").Any());
                return 1;
            });

        (experiment.Run().Model as IDisposable)?.Dispose();

        Assert.True(Assert.Single(folders));
        Assert.True(File.Exists(_folder["run/trial-0/training-0/metrics.jsonl"]));
    }

    [Fact]
    public void Networks_are_measured_by_the_metrics_of_ML_NET()
    {
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 24).Select(i => new Point
        {
            Place = [i % 2, i % 3], Class = $"{i % 2}", IsOdd = i % 2 == 1, Value = i % 3,
        }));
        TrialResult Run(string output, string label, TrainingLoss loss, Layer layer, Func<AutoMLExperiment, AutoMLExperiment> metric)
        {
            var network = _ml.Generation.CreateSweepableEstimator<NetworkOptions>((ml, o) =>
                ml.Transforms.FineTuneTorchModule(output, "Place", label, new TorchModuleOptions
                {
                    NewLayers = [layer], Training = new() { NumberOfEpochs = o.Epochs, Loss = loss },
                }));
            var experiment = _ml.Generation.CreateExperiment().SetMonitor(_monitor).SetDataset(data, data)
                .SetPipeline(_ml.Transforms.Conversion.MapValueToKey("Key", "Class").Append(network)).SetMaxModelToExplore(1);
            return metric(experiment).Run();
        }

        var classes = Run("Score", "Key", TrainingLoss.CategoricalCrossEntropy, Layer.Dense(2, Activation.Softmax),
            e => e.SetMulticlassClassificationMetric(MulticlassClassificationMetric.MicroAccuracy, "Key"));
        Assert.Equal((-classes.Metric, true), (classes.Loss, classes.Metric is >= 0 and <= 1));
        var truth = Run("Probability", "IsOdd", TrainingLoss.BinaryCrossEntropy, Layer.Dense(1, Activation.Sigmoid),
            e => e.SetBinaryClassificationMetric(BinaryClassificationMetric.AreaUnderRocCurve, "IsOdd"));
        Assert.Equal((-truth.Metric, true), (truth.Loss, truth.Metric is >= 0 and <= 1));
        var number = Run("Score", "Value", TrainingLoss.MeanSquaredError, Layer.Dense(1),
            e => e.SetRegressionMetric(RegressionMetric.MeanSquaredError, "Value"));
        Assert.Equal((number.Metric, true), (number.Loss, number.Metric > 0));
        foreach (var result in (TrialResult[])[classes, truth, number])
            (result.Model as IDisposable)?.Dispose();
    }

    [Fact]
    public void Pipelines_are_put_together_of_estimators_and_of_pipelines()
    {
        var copy = _ml.Transforms.CopyColumns("Where", "Place");
        SweepableEstimator Swept() => _ml.Generation.CreateSweepableEstimator<NetworkOptions>((ml, o) => Network(ml, o, Layer.Dense(2)));
        (SweepablePipeline Pipeline, string[] Options)[] pipelines =
        [
            (copy.Append(Swept()), ["e1"]), (Swept().Append(copy), ["e0"]), (Swept().Append(Swept()), ["e0", "e1"]),
            (Swept().Append(new SweepablePipeline().Append(copy)), ["e0"]),
            (copy.Append(new SweepablePipeline().Append([Swept()])), ["e1"]),
        ];
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(1));
        var schema = SchemaShape.Create(copy.Fit(data).Transform(data).Schema);
        foreach (var (pipeline, options) in pipelines)
        {
            Assert.Equal(options, pipeline.SearchSpace.Keys);
            Assert.Equal(["e0", "e1"], pipeline.Estimators.Keys);
            var chosen = pipeline.SearchSpace.SampleFromFeatureSpace(pipeline.SearchSpace.Default);
            Assert.Contains(
                "Colour", pipeline.BuildFromOption(_ml, chosen).GetOutputSchema(schema).Select(column => column.Name));
        }
    }

    [Fact]
    public void A_pipeline_without_texts_needs_a_metric_and_one_without_rows_is_refused()
    {
        var pipeline = _ml.Transforms.CopyColumns("Where", "Place").Append(
            _ml.Generation.CreateSweepableEstimator<NetworkOptions>((ml, o) => Network(ml, o, Layer.Dense(2))));
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(12));
        AutoMLExperiment Create() => _ml.Generation.CreateExperiment().SetMonitor(_monitor).SetPipeline(pipeline).SetMaxModelToExplore(1);

        Assert.Contains(
            "SetMetric", Assert.Throws<InvalidOperationException>(() => Create().SetDataset(data, data).Run()).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "SetDataset", Assert.Throws<InvalidOperationException>(() => Create().Run()).Message, StringComparison.Ordinal);
    }

    private AutoMLExperiment Experiment(string? folder, Action<int, int>? step = null) =>
        TextExperiment.Create(_ml, TestData.TinyModel, folder, step);

    private static TorchModuleEstimator Network(MLContext ml, NetworkOptions options, params Layer[] layers) =>
        ml.Transforms.FineTuneTorchModule("Colour", "Label", "Where", new TorchModuleOptions
        {
            NewLayers = [.. layers], Training = new() { NumberOfEpochs = options.Epochs },
        });

    private static byte[] Bytes(object model) => TransformerWeights.Bytes(
        (TextGeneratorTransformer)((IEnumerable<ITransformer>)model).Single());

    private static IEnumerable<string> Told(AutoMLExperiment experiment) => experiment.Trials.Select(trial =>
        $"{trial.TrialSettings.Parameter} {trial.State} {trial.Loss:R} {string.Join(' ', trial.Reports)}");

    private sealed class Picture
    {
        public int Seed { get; set; }

        [ImageType(16, 16)]
        public MLImage? Image { get; set; }
    }

    private sealed class Point
    {
        [VectorType(2)]
        public float[] Place { get; set; } = [];

        public string Class { get; set; } = "";

        public bool IsOdd { get; set; }

        public float Value { get; set; }
    }

    private sealed class NetworkOptions
    {
        [Range(1, 2)]
        public int Epochs { get; set; } = 1;
    }
}
