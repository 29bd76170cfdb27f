using MLTransfer;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;

// Fine-tunes a pretrained image generator inside ML.NET, saves it, loads it again, makes pictures with it and exports it to ONNX.
using System.Diagnostics;
using System.Globalization;
using ImageGeneration;
using Microsoft.ML;
using Microsoft.ML.Data;
using Spectre.Console;
using static TorchSharp.torch.nn.functional;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var cancellation = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true; // training stops after the update that it is at
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
catch (Exception exception) when (exception is ArgumentException or IOException or InvalidDataException or InvalidOperationException
    or NotSupportedException
    or InsufficientMemoryException or TrainingDivergedException or OperationCanceledException)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

static void Run(Arguments arguments, CancellationToken cancellationToken)
{
    var ml = new MLContext(seed: arguments.Seed);
    Directory.CreateDirectory(arguments.Output);
    string InOutput(string name) => Path.Combine(arguments.Output, name);
    if (arguments.Pictures is null)
        FacePictures.Draw(InOutput("faces"), count: 500, arguments.Seed);
    var pictures = LoadPictures(ml, arguments.Pictures ?? InOutput("faces"), arguments.Size);
    var seeds = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 64).Select(seed => new SeedRow { Seed = seed }));

    // Distances are measured over what lies where, in 8 x 8 grey cells. For larger pictures take a network that knows their kind.
    var extractor = new DelegateFeatureExtractor(images => adaptive_avg_pool2d(images.mean([1], keepdim: true), 8).flatten(1));
    var untuned = ml.Transforms.GenerateImages("Picture", "Seed", arguments.Model).Fit(seeds);
    PictureGrid.Write(InOutput("before.png"), Made(untuned.Transform(seeds)));
    var before = ml.Generation.Evaluate(untuned, pictures, "Image", extractor, cancellationToken: cancellationToken);

    // Fine-tuning is an estimator like any other.
    AnsiConsole.Write(new Rule("Fine-tuning").LeftJustified());
    var clock = Stopwatch.StartNew();
    var tuned = TrainingBar.Show(
        progress => ml.Transforms.FineTuneImageGenerator("Picture", "Seed", trainingColumnName: "Image", new ImageGeneratorOptions
    {
        PretrainedModel = arguments.Model,
        Training = new AdversarialTrainingOptions
        {
            TotalImages = arguments.Images,
            BatchSize = arguments.BatchSize,
            LearningRate = arguments.LearningRate,
            GradientPenaltyWeight = 0.05,
            StyleMixingProbability = 0.5,
            AverageHalfLife = 1_000,
            Augmentations = AugmentationGroups.None, // the discriminator sees each face 20 times, too seldom to know it by heart
            FrozenDiscriminatorBlocks = arguments.FrozenBlocks,
            OutputDirectory = arguments.Output,
        },
        Progress = progress,
        CancellationToken = cancellationToken,
    }).Fit(pictures));
    var trainingTime = clock.Elapsed;
    var after = ml.Generation.Evaluate(tuned, pictures, "Image", extractor, cancellationToken: cancellationToken);

    // The tuned model is an ML.NET model file, which another program loads.
    ml.Model.Save(tuned, pictures.Schema, InOutput("painter.zip"));
    var loaded = new MLContext().Model.Load(InOutput("painter.zip"), out _);
    PictureGrid.Write(InOutput("after.png"), Made(loaded.Transform(seeds)));
    var difference = ml.Generation.ExportToOnnx(tuned, InOutput("painter.onnx"), cancellationToken: cancellationToken)[0].LargestDifference;

    AnsiConsole.Write(new Table().AddColumns("distance to the real pictures", "before", "after")
        .AddRow("Frechet", $"{before.FrechetDistance:F2}", $"{after.FrechetDistance:F2}")
        .AddRow("kernel (KID)", $"{before.KernelDistance:F3}", $"{after.KernelDistance:F3}"));
    Console.WriteLine($"Trained in {trainingTime.TotalSeconds:F1} s; ONNX Runtime's pictures differ by {difference:0.0e+0} at most; "
        + $"peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
    Console.WriteLine(
        $"before.png, after.png, painter.zip, painter.onnx, loss.png and metrics.jsonl are in {Path.GetFullPath(arguments.Output)}");
}

static IDataView LoadPictures(MLContext ml, string folder, int size)
{
    var files = Directory.EnumerateFiles(folder).Where(file => Path.GetExtension(file).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg")
        .Order(StringComparer.Ordinal);
    var rows = ml.Data.LoadFromEnumerable(files.Select(file => new FileRow { File = Path.GetFullPath(file) }));
    return ml.Transforms.LoadImages("Image", imageFolder: null, "File")
        .Append(ml.Transforms.ResizeImages("Image", size, size))
        .Fit(rows).Transform(rows);
}

static List<MLImage> Made(IDataView view) => [.. view.GetColumn<MLImage>("Picture")];

internal sealed class FileRow
{
    public string File { get; set; } = "";
}

internal sealed class SeedRow
{
    public int Seed { get; set; }
}
