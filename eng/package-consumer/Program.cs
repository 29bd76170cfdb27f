using MLTransfer;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Training.Language;

// What a stranger's first program does: fine-tune, save, load in a fresh context, generate, export.
using Microsoft.ML;

var ml = new MLContext(seed: 1);
var stories = ml.Data.LoadFromEnumerable(Enumerable.Repeat(
    new Story { Opening = "The old king",
        Text = "The old king rode over the hill, and all his people followed him with lamps in their hands." }, 8));

var pipeline = ml.Transforms.CopyColumns("Prompt", "Opening")
    .Append(ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Prompt", "Text", new TextGeneratorOptions
    {
        Training = new LanguageTrainingOptions { MaximumSteps = 12, BatchSize = 4, LearningRate = 5e-4 },
        ValidationFraction = 0,
        Generation = new GenerationOptions { MaximumNewTokens = 12 },
    }));
var untuned = ml.Transforms.Text.GenerateText("Continuation", "Text").Fit(stories);
var before = ml.Generation.Evaluate(untuned, stories, "Text");
var model = pipeline.Fit(stories);
var after = ml.Generation.Evaluate(model, stories, "Text");
Console.WriteLine($"loss {before.Loss:F3} before, {after.Loss:F3} after");

// The other embedded model is a package that this project does not have.
try
{
    ml.Transforms.GenerateImages("Picture", "Seed").Fit(ml.Data.LoadFromEnumerable([new { Seed = 1 }]));
    return 1;
}
catch (DirectoryNotFoundException exception) when (exception.Message.Contains("dotnet add package MLTransfer.Models.Shapes"))
{
    Console.WriteLine(exception.Message);
}

var zip = Path.Combine(Path.GetTempPath(), $"mltransfer-consumer-{Environment.ProcessId}.zip");
var export = zip + "-onnx";
try
{
    ml.Generation.Save(model, stories.Schema, zip);
    var loaded = new MLContext(seed: 1).Model.Load(zip, out _);
    var story = ml.Data.CreateEnumerable<Written>(loaded.Transform(stories), reuseRowObject: false).First();
    Console.WriteLine(story.Opening + story.Continuation);
    var file = ml.Generation.ExportToOnnx(loaded, export)[0]; // checked in ONNX Runtime
    Console.WriteLine($"{file.Name}: {file.ByteCount} bytes");
    return after.Loss < before.Loss - 1 && story.Continuation.Length > 0 ? 0 : 1;
}
finally
{
    File.Delete(zip);
    if (Directory.Exists(export))
        Directory.Delete(export, recursive: true);
}

internal sealed class Story
{
    public string Opening { get; set; } = "";

    public string Text { get; set; } = "";
}

internal sealed class Written
{
    public string Opening { get; set; } = "";

    public string Continuation { get; set; } = "";
}
