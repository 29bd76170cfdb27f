using System.CommandLine;
using System.Diagnostics;
using ImageGeneration;
using MLTransfer;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Data;
using Samples;
using Spectre.Console;
using static TorchSharp.torch.nn.functional;

// Fine-tunes a pretrained image generator inside ML.NET, saves it, loads it again, makes pictures with it and exports it to ONNX.
var options = new ImageGenerationCommand();
return SampleProgram.Run(options, args, (arguments, stop, cancel) => Run(options, arguments, stop, cancel));

static void Run(ImageGenerationCommand options, ParseResult arguments, CancellationToken stopAndKeep, CancellationToken cancellationToken)
{
    T Value<T>(Option<T> option) => arguments.GetRequiredValue(option);
    var (model, output) = (Value(options.Model), Value(options.Output));
    string InOutput(string name) => Path.Combine(output, name);
    var ml = new MLContext(seed: Value(options.Seed));

    // Fine-tuning is an estimator like any other.
    var bar = new TrainingBar<StyleGan2Progress>(progress =>
        $"{progress.Images} images  generator {progress.GeneratorLoss:F2}  discriminator {progress.DiscriminatorLoss:F2}  "
        + $"{progress.ImagesPerSecond:F0} images/s");
    var painter = ml.Transforms.FineTuneImageGenerator("Picture", "Seed", trainingColumnName: "Image", new ImageGeneratorOptions
    {
        PretrainedModel = model,
        Training = new AdversarialTrainingOptions
        {
            TotalImages = Value(options.Images),
            BatchSize = Value(options.BatchSize),
            LearningRate = Value(options.LearningRate),
            GradientPenaltyWeight = 2,
            StyleMixingProbability = 0.5,
            PathLengthInterval = 0,
            AverageHalfLife = 2_000,
            AugmentationProbability = 0.3, // the discriminator sees each face often enough to know it by heart
            FrozenDiscriminatorBlocks = Value(options.FrozenBlocks),
            SampleSeeds = [1, 2, 3, 4], // their pictures are shown in run.html
            OutputDirectory = output,
        },
        Progress = bar,
        StopAndKeep = stopAndKeep,
        CancellationToken = cancellationToken,
    });

    Directory.CreateDirectory(output);
    var folder = arguments.GetValue(options.Pictures)?.FullName ?? InOutput("faces");
    if (arguments.GetValue(options.Pictures) is null)
        FacePictures.Draw(folder, count: 100, Value(options.Seed));
    var pictures = LoadPictures(ml, folder, Value(options.Size));
    var seeds = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 2 * PictureSheet.Columns).Select(seed => new SeedRow { Seed = seed }));

    // What the model makes before. One half of the real pictures is compared with the other and with as many that the model makes, over
    // what lies where, in 8 x 8 grey cells; for larger pictures take a network that knows their kind.
    var half = pictures.GetColumn<string>("File").Count() / 2;
    var reals = ml.Data.TakeRows(pictures, half);
    var manySeeds = ml.Data.LoadFromEnumerable(Enumerable.Range(0, half).Select(seed => new SeedRow { Seed = seed }));
    var evaluation = new ImageEvaluationOptions
    {
        FeatureExtractor = new DelegateFeatureExtractor(images => adaptive_avg_pool2d(images.mean([1], keepdim: true), 8).flatten(1)),
        Neighbors = Math.Clamp(half - 1, 1, 5),
    };
    ImageMetrics Compare(IDataView others, string column) =>
        ml.Generation.EvaluateImages(reals, "Image", others, column, evaluation, cancellationToken: cancellationToken);
    var untuned = ml.Transforms.GenerateImages("Picture", "Seed", model).Fit(seeds);
    var (real, before) = (
        Compare(ml.Data.TakeRows(ml.Data.SkipRows(pictures, half), half), "Image"), Compare(untuned.Transform(manySeeds), "Picture"));

    SampleProgram.Heading("Fine-tuning");
    var clock = Stopwatch.StartNew();
    var tuned = bar.Show(() => painter.Fit(pictures));
    var trainingTime = clock.Elapsed;
    var after = Compare(tuned.Transform(manySeeds), "Picture");

    // The tuned model is an ML.NET model file, which another program loads.
    ml.Generation.Save(tuned, pictures.Schema, InOutput("painter.zip"));
    var loaded = new MLContext().Model.Load(InOutput("painter.zip"), out _);
    var difference = ml.Generation.ExportToOnnx(tuned, InOutput("painter.onnx"), cancellationToken: cancellationToken)[0].LargestDifference;

    PictureSheet.Write(
        InOutput("pictures.png"),
        $"{model}, fine-tuned on {Path.GetFileName(folder)}", captions: [],
        ("real: some of the pictures that it learns from", ml.Data.TakeRows(pictures, PictureSheet.Columns).GetColumn<MLImage>("Image")),
        ("before", untuned.Transform(seeds).GetColumn<MLImage>("Picture")),
        ($"after {Value(options.Images):N0} pictures shown, from the same seeds", loaded.Transform(seeds).GetColumn<MLImage>("Picture")));

    AnsiConsole.Write(new Table().AddColumns($"beside {half} real pictures", "other real ones", "before", "after")
        .AddRow("Frechet distance", $"{real.FrechetDistance:F2}", $"{before.FrechetDistance:F2}", $"{after.FrechetDistance:F2}")
        .AddRow("kernel distance", $"{real.KernelDistance:F3}", $"{before.KernelDistance:F3}", $"{after.KernelDistance:F3}")
        .AddRow("precision", $"{real.Precision:F2}", $"{before.Precision:F2}", $"{after.Precision:F2}")
        .AddRow("coverage", $"{real.Coverage:F2}", $"{before.Coverage:F2}", $"{after.Coverage:F2}"));
    Console.WriteLine($"The Frechet distance after the fine-tune is {after.FrechetDistance / real.FrechetDistance:F1} times that of two "
        + "halves of the real set.");
    Console.WriteLine($"Trained in {trainingTime.TotalSeconds:F1} s; ONNX Runtime's pictures differ by {difference:0.0e+0} at most; "
        + $"peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
    Console.WriteLine(
        $"pictures.png, painter.zip, painter.onnx, run.html and metrics.jsonl are in {Path.GetFullPath(output)}");
}

static IDataView LoadPictures(MLContext ml, string folder, int size)
{
    var files = Directory.EnumerateFiles(folder)
        .Where(file => Path.GetExtension(file).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg").Order(StringComparer.Ordinal);
    var rows = ml.Data.LoadFromEnumerable(files.Select(file => new FileRow { File = Path.GetFullPath(file) }));
    return ml.Transforms.LoadImages("Image", imageFolder: null, "File")
        .Append(ml.Transforms.ResizeImages("Image", size, size))
        .Fit(rows).Transform(rows);
}

internal sealed class FileRow
{
    public string File { get; set; } = "";
}

internal sealed class SeedRow
{
    public int Seed { get; set; }
}
