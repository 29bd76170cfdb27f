using System.CommandLine;
using System.Diagnostics;
using MLTransfer;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Samples;
using Spectre.Console;

namespace TextGeneration;

/// <summary>Fine-tunes a pretrained model that fills masks, and shows what it fills in before and after.</summary>
internal static class StoryInfilling
{
    private static readonly string[] s_texts =
    [
        "I drew my [MASK] and sprang toward the green warrior.",
        "We rode across the dead sea [MASK] upon our great beasts.",
        "She was the [MASK] of a thousand kings, and I loved her with all my [MASK].",
    ];

    public static void Run(
        TextGenerationCommand options, ParseResult arguments, CancellationToken stopAndKeep, CancellationToken cancellationToken)
    {
        T Value<T>(Option<T> option) => arguments.GetRequiredValue(option);
        var (model, output) = (arguments.GetValue(options.Model) ?? PretrainedModels.TalesInfilling, Value(options.Output));
        var ml = new MLContext(seed: Value(options.Seed));
        var texts = StoryTexts.Load(arguments.GetValue(options.Text));
        IDataView training = Paragraphs(ml, texts.Training), validation = Paragraphs(ml, texts.Validation);
        var test = Paragraphs(ml, texts.Test);
        var masked = StoryTexts.Rows(ml, arguments.GetValue(options.Prompt) is { } text ? [text] : s_texts);
        var infilling = new InfillingOptions { Order = InfillingOrder.MostConfidentFirst, CandidateCount = 4 };

        // Fine-tuning is an estimator like any other.
        double? heldOut = null;
        var bar = new TrainingBar<TrainingProgress>(progress =>
            $"step {progress.Step}/{progress.TotalSteps}  loss {progress.Loss:F3}  "
            + $"held-out {heldOut = progress.ValidationLoss ?? heldOut:F3}  {progress.TokensPerSecond:F0} tokens/s");
        var pipeline = ml.Transforms.Text.FineTuneTextInfiller("Filled", "Text", options: new TextInfillerOptions
        {
            PretrainedModel = model,
            Training = new LanguageTrainingOptions
            {
                NumberOfEpochs = 3 * Value(options.Epochs), // each masks other words
                MaximumSteps = Value(options.MaximumSteps),
                BatchSize = arguments.GetValue(options.BatchSize) ?? 8,
                LearningRate = arguments.GetValue(options.LearningRate) ?? 6e-4,
                OutputDirectory = output,
            },
            Lora = arguments.GetValue(options.LoraRank) is { } rank ? new LoraOptions { Rank = rank, Alpha = 2 * rank } : null,
            ValidationData = validation, // the weights that are best on it are kept
            Infilling = infilling,
            CandidatesColumnName = "Candidates",
            CandidateLogProbabilitiesColumnName = "LogProbabilities",
            Progress = bar,
            StopAndKeep = stopAndKeep,
            CancellationToken = cancellationToken,
        });

        // What the model knows before.
        var untuned = ml.Transforms.Text.InfillText("Filled", "Text", model, new InfillTextOptions
        {
            Infilling = infilling, CandidatesColumnName = "Candidates", CandidateLogProbabilitiesColumnName = "LogProbabilities",
        }).Fit(masked);
        SampleProgram.Heading("The pretrained model fills in");
        Print(ml, untuned.Transform(masked), infilling.CandidateCount);
        var before = ml.Generation.EvaluateInfilling(untuned, test, "Text", cancellationToken: cancellationToken);

        SampleProgram.Heading("Fine-tuning");
        var clock = Stopwatch.StartNew();
        ITransformer tuned = bar.Show(() => pipeline.Fit(training));
        var trainingTime = clock.Elapsed;
        var after = ml.Generation.EvaluateInfilling(tuned, test, "Text", cancellationToken: cancellationToken);

        // The tuned model is an ML.NET model file, which another program loads.
        var zip = Path.Combine(output, "infiller.zip");
        ml.Generation.Save(tuned, training.Schema, zip);
        var loaded = new MLContext(seed: Value(options.Seed)).Model.Load(zip, out _);
        SampleProgram.Heading("The fine-tuned model, loaded from its zip, fills in");
        Print(ml, loaded.Transform(masked), infilling.CandidateCount);

        SampleProgram.Heading("Held-out text");
        AnsiConsole.Write(new Table().AddColumns("", "before", "after")
            .AddRow("loss (nats a hidden token)", $"{before.Loss:F4}", $"{after.Loss:F4}")
            .AddRow("hidden tokens that are the most probable ones", $"{before.MaskedAccuracy:P1}", $"{after.MaskedAccuracy:P1}")
            .AddRow("pseudo-perplexity", $"{before.PseudoPerplexity:F1}", $"{after.PseudoPerplexity:F1}"));
        Console.WriteLine(
            $"Trained in {trainingTime.TotalSeconds:F1} s; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
        Console.WriteLine($"The model, run.html and metrics.jsonl are in {Path.GetFullPath(output)}");
    }

    /// <summary>A row a paragraph.</summary>
    private static IDataView Paragraphs(MLContext ml, string text) => StoryTexts.Rows(
        ml, text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static void Print(MLContext ml, IDataView stories, int candidates)
    {
        foreach (var story in ml.Data.CreateEnumerable<FilledStory>(stories, reuseRowObject: false))
        {
            var masks = story.Candidates.Zip(story.LogProbabilities, (text, log) => $"{text} {Math.Exp(log):P0}").Chunk(candidates);
            AnsiConsole.Write(new Panel(new Text(
                $"{story.Text}\n{story.Filled}\n{string.Join("\n", masks.Select(best => string.Join(", ", best)))}")).Expand());
        }
    }
}
