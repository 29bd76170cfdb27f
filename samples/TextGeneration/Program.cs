// Fine-tunes a pretrained text generator inside an ML.NET pipeline, saves it, loads it again and writes with it.
using System.Diagnostics;
using Microsoft.ML;
using MLTransfer;
using MLTransfer.Text;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using Spectre.Console;
using TextGeneration;

Arguments arguments;
try
{
    arguments = Arguments.Parse(args);
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

if (arguments.Help)
{
    Console.WriteLine(Arguments.Usage);
    return 0;
}

var ml = new MLContext(seed: arguments.Seed);
var texts = StoryTexts.Load(arguments.TextFile);
IDataView training = Rows(texts.Training), validation = Rows(texts.Validation), test = Rows(texts.Test);
IDataView prompts = Rows(arguments.Prompt);
var writing = new GenerationOptions
{
    MaximumNewTokens = arguments.NewTokens, Sample = true, Temperature = 0.8, TopP = 0.95, RepetitionPenalty = 1.1, Seed = arguments.Seed,
};

// What the model knows before.
var untuned = ml.Transforms.Text.GenerateText("Continuation", "Text", arguments.Model, new GenerateTextOptions { Generation = writing }).Fit(prompts);
Heading("The pretrained model writes");
Print(untuned.Transform(prompts));
var before = ml.Generation.Evaluate(untuned, test, "Text");

// Fine-tuning is an estimator like any other.
Heading("Fine-tuning");
var clock = Stopwatch.StartNew();
ITransformer tuned = TrainingBar.Show(progress => ml.Transforms.CopyColumns("Prompt", "Text")
    .Append(ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Prompt", trainingColumnName: "Text", new TextGeneratorOptions
    {
        PretrainedModel = arguments.Model,
        NumberOfEpochs = arguments.Epochs,
        MaximumSteps = arguments.MaximumSteps,
        BatchSize = arguments.BatchSize,
        LearningRate = arguments.LearningRate,
        LearningRateSchedule = LearningRateSchedule.Linear,
        Lora = arguments.LoraRank is { } rank ? new LoraOptions { Rank = rank, Alpha = 2 * rank } : null,
        Precision = Precision.Auto,
        Dropout = 0.1,
        ValidationData = validation, // the weights that are best on it are kept
        OutputDirectory = arguments.Output,
        Generation = writing,
        Progress = progress,
    }))
    .Fit(training));
var trainingTime = clock.Elapsed;
var after = ml.Generation.Evaluate(tuned, test, "Text");

// The tuned model is an ML.NET model file, which another program loads.
var zip = Path.Combine(arguments.Output, "storyteller.zip");
ml.Model.Save(tuned, training.Schema, zip);
clock.Restart();
ITransformer loaded = new MLContext(seed: arguments.Seed).Model.Load(zip, out _);
Heading("The fine-tuned model, loaded from its zip, writes");
Print(loaded.Transform(prompts));
var loadingTime = clock.Elapsed;

Heading("Held-out text");
AnsiConsole.Write(new Table().AddColumns("", "before", "after")
    .AddRow("loss (nats a token)", $"{before.Loss:F4}", $"{after.Loss:F4}")
    .AddRow("perplexity", $"{before.Perplexity:F1}", $"{after.Perplexity:F1}")
    .AddRow("bits a byte", $"{before.BitsPerByte:F3}", $"{after.BitsPerByte:F3}"));
Console.WriteLine($"Trained in {trainingTime.TotalSeconds:F1} s; loaded and wrote {arguments.NewTokens} tokens in {loadingTime.TotalSeconds:F1} s; "
    + $"peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
Console.WriteLine($"The model, loss.png and metrics.jsonl are in {Path.GetFullPath(arguments.Output)}");
return 0;

IDataView Rows(string text) => ml.Data.LoadFromEnumerable([new Story { Text = text }]);

void Print(IDataView stories)
{
    foreach (var story in ml.Data.CreateEnumerable<WrittenStory>(stories, reuseRowObject: false))
        AnsiConsole.Write(new Panel(new Text(story.Text + story.Continuation)).Expand());
}

static void Heading(string text) => AnsiConsole.Write(new Rule(Markup.Escape(text)).LeftJustified());

internal sealed class Story
{
    public string Text { get; set; } = "";
}

internal sealed class WrittenStory
{
    public string Text { get; set; } = "";

    public string Continuation { get; set; } = "";
}
