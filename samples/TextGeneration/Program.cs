using MLTransfer;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;

// Fine-tunes a pretrained text generator inside an ML.NET pipeline, saves it, loads it again and writes with it.
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Spectre.Console;
using TextGeneration;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var cancellation = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true; // training stops after the step that it is at
    cancellation.Cancel();
};

try
{
    var arguments = Arguments.Parse(args);
    if (arguments.Help)
        Console.WriteLine(Arguments.Usage);
    else
        Run(arguments, cancellation.Token);
    return 0;
}
catch (Exception exception) when (exception is ArgumentException or IOException or InvalidDataException or NotSupportedException
    or InsufficientMemoryException or TrainingDivergedException or OperationCanceledException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

static void Run(Arguments arguments, CancellationToken cancellationToken)
{
    var ml = new MLContext(seed: arguments.Seed);
    var texts = StoryTexts.Load(arguments.TextFile);
    IDataView training = Rows(ml, texts.Training), validation = Rows(ml, texts.Validation), test = Rows(ml, texts.Test);
    var prompts = Rows(ml, arguments.Prompt);
    var writing = new GenerationOptions
    {
        MaximumNewTokens = arguments.NewTokens, Sample = true, Temperature = 0.8, TopP = 0.95, RepetitionPenalty = 1.1,
        Seed = arguments.Seed,
    };

    // What the model knows before.
    var untuned = ml.Transforms.Text.GenerateText("Continuation", "Text", arguments.Model, new GenerateTextOptions { Generation = writing })
        .Fit(prompts);
    Heading("The pretrained model writes");
    Print(ml, untuned.Transform(prompts));
    var before = ml.Generation.Evaluate(untuned, test, "Text", cancellationToken);

    // Fine-tuning is an estimator like any other.
    Heading("Fine-tuning");
    var clock = Stopwatch.StartNew();
    ITransformer tuned = TrainingBar.Show(progress => ml.Transforms.CopyColumns("Prompt", "Text")
        .Append(ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Prompt", trainingColumnName: "Text", new TextGeneratorOptions
        {
            PretrainedModel = arguments.Model,
            Training = new LanguageTrainingOptions
            {
                NumberOfEpochs = arguments.Epochs,
                MaximumSteps = arguments.MaximumSteps,
                BatchSize = arguments.BatchSize,
                LearningRate = arguments.LearningRate,
                OutputDirectory = arguments.Output,
            },
            Lora = arguments.LoraRank is { } rank ? new LoraOptions { Rank = rank, Alpha = 2 * rank } : null,
            Dropout = 0.1,
            ValidationData = validation, // the weights that are best on it are kept
            Generation = writing,
            Progress = progress,
            CancellationToken = cancellationToken,
        }))
        .Fit(training));
    var trainingTime = clock.Elapsed;
    var after = ml.Generation.Evaluate(tuned, test, "Text", cancellationToken);

    // The tuned model is an ML.NET model file, which another program loads.
    var zip = Path.Combine(arguments.Output, "storyteller.zip");
    ml.Model.Save(tuned, training.Schema, zip);
    clock.Restart();
    var loaded = new MLContext(seed: arguments.Seed).Model.Load(zip, out _);
    Heading("The fine-tuned model, loaded from its zip, writes");
    Print(ml, loaded.Transform(prompts));
    var loadingTime = clock.Elapsed;

    Heading("Held-out text");
    AnsiConsole.Write(new Table().AddColumns("", "before", "after")
        .AddRow("loss (nats a token)", $"{before.Loss:F4}", $"{after.Loss:F4}")
        .AddRow("perplexity", $"{before.Perplexity:F1}", $"{after.Perplexity:F1}")
        .AddRow("bits a byte", $"{before.BitsPerByte:F3}", $"{after.BitsPerByte:F3}"));
    Console.WriteLine(
        $"Trained in {trainingTime.TotalSeconds:F1} s; loaded and wrote {arguments.NewTokens} tokens in {loadingTime.TotalSeconds:F1} s; "
        + $"peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
    Console.WriteLine($"The model, loss.png and metrics.jsonl are in {Path.GetFullPath(arguments.Output)}");
}

static IDataView Rows(MLContext ml, string text) => ml.Data.LoadFromEnumerable([new Story { Text = text }]);

static void Print(MLContext ml, IDataView stories)
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
