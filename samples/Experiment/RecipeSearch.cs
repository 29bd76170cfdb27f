using System.CommandLine;
using System.Diagnostics;
using MLTransfer;
using MLTransfer.Experiments;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Samples;
using Spectre.Console;
using TextGeneration;

namespace Experiment;

/// <summary>Tries recipes by rungs, and shows what the best gains on text that nothing was chosen by.</summary>
internal static class RecipeSearch
{
    /// <summary>Evaluations of a whole training: rungs are at the first, the third and the ninth.</summary>
    private const int Evaluations = 9;

    private const int RowLength = 256;

    public static void Run(
        ExperimentCommand options, ParseResult arguments, CancellationToken stop, CancellationToken cancellationToken)
    {
        T Value<T>(Option<T> option) => arguments.GetRequiredValue(option);
        var (output, epochs) = (Value(options.Output), Value(options.Epochs));
        var ml = new MLContext(seed: Value(options.Seed));
        var texts = StoryTexts.Load(arguments.GetValue(options.Text));
        var (training, validation, test) = texts.Load(ml);
        var rows = texts.Training.Length / 4 / RowLength; // about four characters a token

        // The options of an estimator are chosen by the experiment.
        var pipeline = ml.Transforms.CopyColumns("Prompt", "Text").Append(ml.Generation.CreateSweepableEstimator(
            (context, recipe) => context.Transforms.Text.FineTuneTextGenerator("Continuation", "Prompt", "Text", new TextGeneratorOptions
            {
                Training = new LanguageTrainingOptions
                {
                    LearningRate = recipe.LearningRate,
                    LearningRateSchedule = recipe.Schedule,
                    BatchSize = recipe.BatchSize,
                    WarmupRatio = recipe.WarmupRatio,
                    NumberOfEpochs = epochs,
                    EvaluationSteps = Math.Max(1, epochs * rows / recipe.BatchSize / Evaluations),
                },
                MaximumLength = RowLength,
                RowPacking = RowPacking.Concatenated,
                Dropout = recipe.Dropout,
                Lora = recipe.UsesAdapters ? new LoraOptions { Rank = recipe.Rank, Alpha = 2 * recipe.Rank } : null,
                ValidationData = validation, // evaluated on the way: by that trials are ended early, and the best weights are kept
                CancellationToken = cancellationToken,
            }), new SearchSpace<Recipe>(new Recipe())));
        var experiment = ml.Generation.CreateExperiment()
            .SetDataset(training, validation)
            .SetPipeline(pipeline)
            .SetPruner(new SuccessiveHalvingPruner(minimumResource: 1, reductionFactor: 3))
            .SetMonitor(new TrialLines())
            .SetMaxModelToExplore(Value(options.Trials))
            .SetCheckpoint(output)
            .EnqueueTrial(); // the known recipe comes first
        if (arguments.GetValue(options.Processes) is { } processes)
            experiment.SetTrialProcesses(processes);

        using var stopping = stop.Register(experiment.StopAfterCurrent);
        SampleProgram.Heading($"{Value(options.Trials)} recipes");
        var clock = Stopwatch.StartNew();
        var best = experiment.RunAsync(cancellationToken).GetAwaiter().GetResult();
        var searchTime = clock.Elapsed;

        SampleProgram.Heading("Trials: * is the best, + is on the front of loss, time and size");
        Console.Write(experiment.Report.ToTable());
        Show(experiment.Report);

        // The known recipe again, for a comparison on text that nothing was chosen by.
        SampleProgram.Heading("Held-out text");
        var recipe = experiment.Trials.First(trial => trial.TrialSettings.TrialId == 0).TrialSettings.Parameter["_pipeline_"];
        var before = ml.Generation.Evaluate(
            ml.Transforms.Text.GenerateText("Continuation", "Text", PretrainedModels.Tales).Fit(test), test, "Text", cancellationToken);
        var known = ml.Generation.Evaluate(pipeline.BuildFromOption(ml, recipe).Fit(training), test, "Text", cancellationToken);
        var found = ml.Generation.Evaluate(best.Model!, test, "Text", cancellationToken);
        AnsiConsole.Write(new Table().AddColumns("", "before", "known recipe", $"trial {best.TrialSettings.TrialId}", "gain")
            .AddRow("loss (nats a token)", $"{before.Loss:F4}", $"{known.Loss:F4}", $"{found.Loss:F4}", $"{known.Loss - found.Loss:F4}")
            .AddRow("perplexity", $"{before.Perplexity:F1}", $"{known.Perplexity:F1}", $"{found.Perplexity:F1}",
                $"{known.Perplexity - found.Perplexity:F1}"));
        Console.WriteLine($"{experiment.Trials.Count} trials took {searchTime.TotalSeconds:F0} s.");
        Console.WriteLine($"The journal, {ExperimentReport.PageFile} and the best model are in {Path.GetFullPath(output)}");
    }

    private static void Show(ExperimentReport report)
    {
        if (report.Importances.Count == 0)
            return;
        var chart = new BarChart().Width(80).Label("Share of each option in what makes losses different, per cent");
        foreach (var (name, share) in report.Importances)
            chart.AddItem(Markup.Escape(name), Math.Round(100 * share, 1), Color.Blue);
        AnsiConsole.Write(chart);
    }
}
