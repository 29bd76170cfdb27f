using System.CommandLine;
using System.Diagnostics;
using MLTransfer;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Samples;
using Spectre.Console;

namespace TextGeneration;

/// <summary>Fine-tunes a pretrained text generator inside an ML.NET pipeline, saves it, loads it again and writes with it.</summary>
internal static class StoryGeneration
{
    private const string Prompt = "As I stood upon the hill and looked across the dead sea bottom, I saw";

    public static void Run(
        TextGenerationCommand options, ParseResult arguments, CancellationToken stopAndKeep, CancellationToken cancellationToken)
    {
        T Value<T>(Option<T> option) => arguments.GetRequiredValue(option);
        var (model, output) = (arguments.GetValue(options.Model) ?? PretrainedModels.Tales, Value(options.Output));
        var prompt = arguments.GetValue(options.Prompt) ?? Prompt;
        var ml = new MLContext(seed: Value(options.Seed));
        var texts = StoryTexts.Load(arguments.GetValue(options.Text));
        var (training, validation, test) = texts.Load(ml);
        var prompts = StoryTexts.Rows(ml, prompt);
        var writing = new GenerationOptions
        {
            MaximumNewTokens = Value(options.NewTokens), Sample = true, Temperature = 0.8, TopP = 0.95, RepetitionPenalty = 1.1,
            Seed = Value(options.Seed),
        };

        // Fine-tuning is an estimator like any other.
        var recipe = TextGeneratorOptions.DefaultTraining;
        double? heldOut = null;
        var bar = new TrainingBar<TrainingProgress>(progress =>
            $"step {progress.Step}/{progress.TotalSteps}  loss {progress.Loss:F3}  "
            + $"held-out {heldOut = progress.ValidationLoss ?? heldOut:F3}  {progress.TokensPerSecond:F0} tokens/s");
        var pipeline = ml.Transforms.CopyColumns("Prompt", "Text")
            .Append(ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Prompt", trainingColumnName: "Text", new TextGeneratorOptions
            {
                PretrainedModel = model,
                Training = recipe with
                {
                    NumberOfEpochs = Value(options.Epochs),
                    MaximumSteps = Value(options.MaximumSteps),
                    BatchSize = arguments.GetValue(options.BatchSize) ?? recipe.BatchSize,
                    LearningRate = arguments.GetValue(options.LearningRate) ?? recipe.LearningRate,
                    SamplePrompts = [prompt], // continued in run.html at each evaluation
                    OutputDirectory = output,
                },
                Lora = arguments.GetValue(options.LoraRank) is { } rank ? new LoraOptions { Rank = rank, Alpha = 2 * rank } : null,
                ValidationData = validation, // the weights that are best on it are kept
                Generation = writing,
                Progress = bar,
                StopAndKeep = stopAndKeep,
                CancellationToken = cancellationToken,
            }));

        // What the model knows before.
        var untuned = ml.Transforms.Text.GenerateText("Continuation", "Text", model, new GenerateTextOptions { Generation = writing })
            .Fit(prompts);
        SampleProgram.Heading("The pretrained model writes");
        Print(ml, untuned.Transform(prompts));
        var before = ml.Generation.Evaluate(untuned, test, "Text", cancellationToken);

        SampleProgram.Heading("Fine-tuning");
        var clock = Stopwatch.StartNew();
        ITransformer tuned = bar.Show(() => pipeline.Fit(training));
        var trainingTime = clock.Elapsed;
        var after = ml.Generation.Evaluate(tuned, test, "Text", cancellationToken);

        // The tuned model is an ML.NET model file, which another program loads.
        var zip = Path.Combine(output, "storyteller.zip");
        ml.Generation.Save(tuned, training.Schema, zip);
        clock.Restart();
        var loaded = new MLContext(seed: Value(options.Seed)).Model.Load(zip, out _);
        SampleProgram.Heading("The fine-tuned model, loaded from its zip, writes");
        Print(ml, loaded.Transform(prompts));
        var loadingTime = clock.Elapsed;

        SampleProgram.Heading("Held-out text");
        AnsiConsole.Write(new Table().AddColumns("", "before", "after")
            .AddRow("loss (nats a token)", $"{before.Loss:F4}", $"{after.Loss:F4}")
            .AddRow("perplexity", $"{before.Perplexity:F1}", $"{after.Perplexity:F1}")
            .AddRow("bits a byte", $"{before.BitsPerByte:F3}", $"{after.BitsPerByte:F3}"));
        Console.WriteLine(
            $"Trained in {trainingTime.TotalSeconds:F1} s; loaded and wrote {writing.MaximumNewTokens} tokens in "
            + $"{loadingTime.TotalSeconds:F1} s; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
        Console.WriteLine($"The model, run.html and metrics.jsonl are in {Path.GetFullPath(output)}");
    }

    private static void Print(MLContext ml, IDataView stories)
    {
        foreach (var story in ml.Data.CreateEnumerable<WrittenStory>(stories, reuseRowObject: false))
            AnsiConsole.Write(new Panel(new Text(story.Text + story.Continuation)).Expand());
    }
}
