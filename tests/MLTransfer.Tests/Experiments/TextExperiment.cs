using Microsoft.ML;
using MLTransfer.Experiments;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Tests.Experiments;

/// <summary>A search for options of a tiny text generator, which tests run here and in processes that are killed.</summary>
internal static class TextExperiment
{
    /// <summary>Steps of each trial's training.</summary>
    public const int Steps = 8;

    /// <param name="ml">The context.</param>
    /// <param name="model">The folder of the tiny model.</param>
    /// <param name="folder">Of the journal; null for none.</param>
    /// <param name="step">Told the trial and the step of its training.</param>
    public static AutoMLExperiment Create(MLContext ml, string model, string? folder, Action<int, int>? step = null)
    {
        var monitor = new TrialNumber();
        var pipeline = new SweepablePipeline().Append(ml.Generation.CreateSweepableEstimator<Choices>(
            (context, options) => context.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", new TextGeneratorOptions
            {
                PretrainedModel = model,
                Training = new LanguageTrainingOptions
                {
                    MaximumSteps = Steps, BatchSize = 2, EvaluationSteps = 2, LearningRate = options.Rate,
                },
                Lora = options.UsesAdapters ? new LoraOptions { Rank = options.Rank } : null,
                Generation = new GenerationOptions { MaximumNewTokens = 5 },
                ValidationData = Rows(context, 8, 4),
                Progress = new Telling(report => step?.Invoke(monitor.Trial, report.Step)),
            })));
        var experiment = ml.Generation.CreateExperiment().SetMonitor(monitor).SetRandomSearchTuner().SetPipeline(pipeline)
            .SetDataset(Rows(ml, 0, 8), Rows(ml, 8, 4));
        return folder is null ? experiment : experiment.SetCheckpoint(folder, checkpointSteps: 2);
    }

    public static IDataView Rows(MLContext ml, int first, int count) => ml.Data.LoadFromEnumerable(
        Enumerable.Range(first, count).Select(i => new Row
        {
            Opening = $"Story {i}: the old man",
            Text = $"Story {i}: the old man looked at the red planet, and the planet looked back at the old man number {i}.",
        }));

    internal sealed class Row
    {
        public string? Opening { get; set; }

        public string? Text { get; set; }
    }

    internal sealed class Choices
    {
        [Range(1e-6, 1e-2, logBase: true)]
        public double Rate { get; set; } = 5e-3;

        [BooleanChoice]
        public bool UsesAdapters { get; set; }

        [Choice(2, 4)]
        [When(nameof(UsesAdapters), true)]
        public int Rank { get; set; } = 2;
    }

    private sealed class TrialNumber : IMonitor
    {
        public int Trial { get; private set; } = -1;

        public void ReportRunningTrial(TrialSettings settings) => Trial = settings.TrialId;

        public void ReportCompletedTrial(TrialResult result)
        {
        }

        public void ReportBestTrial(TrialResult result)
        {
        }

        public void ReportFailTrial(TrialSettings settings, Exception? exception = null)
        {
        }
    }

    private sealed class Telling(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value);
    }
}
