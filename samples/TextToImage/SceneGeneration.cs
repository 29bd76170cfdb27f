using System.CommandLine;
using System.Diagnostics;
using MLTransfer;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using Microsoft.ML;
using Microsoft.ML.Data;
using Samples;
using Spectre.Console;
using TextToImage.Scenes;

namespace TextToImage;

/// <summary>Has a generator of pictures learn scenes of the night: shapes, colours and words that it has never seen.</summary>
internal static class SceneGeneration
{
    public static void Run(
        TextToImageCommand options, ParseResult arguments, CancellationToken stopAndKeep, CancellationToken cancellationToken)
    {
        T Value<T>(Option<T> option) => arguments.GetRequiredValue(option);
        var (model, seed, output) = (Value(options.Model), Value(options.Seed), Value(options.Output));
        string InOutput(string name) => Path.Combine(output, name);
        var ml = new MLContext(seed);
        var (_, training) = Compose(Value(options.Scenes), seed);
        var (scenes, heldOut) = Compose(Value(options.HeldOut), seed + 1);
        var (trainingRows, heldOutRows) = (ml.Data.LoadFromEnumerable(training), ml.Data.LoadFromEnumerable(heldOut));
        var drawing = new ImageGenerationOptions { TopK = 100 };

        // Fine-tuning is an estimator like any other.
        double? heldOutLoss = null;
        var bar = new TrainingBar<RunProgress>(report => report is not TextToImageProgress progress ? "" :
            $"step {progress.Step}/{progress.TotalSteps}  loss {progress.Loss:F3}  "
            + $"held-out {heldOutLoss = progress.Validation?.Loss ?? heldOutLoss:F3}  {progress.ImagesPerSecond:F0} pictures/s");
        var painter = ml.Transforms.FineTuneImageGenerator("Picture", "Caption", trainingColumnName: "Image", new ImageGeneratorOptions
        {
            PretrainedModel = model,
            AllWeights = true,
            Training = new TextToImageTrainingOptions
            {
                MaximumSteps = Value(options.Steps),
                BatchSize = 16,
                LearningRate = Value(options.LearningRate),
                LearningRateSchedule = LearningRateSchedule.Cosine,
                SamplePrompts = [.. heldOut.Take(4).Select(row => row.Caption)], // their pictures are shown in run.html
                SampleGeneration = drawing,
                OutputDirectory = output,
            },
            ValidationData = heldOutRows,
            TextToImage = drawing,
            GenerationBatchSize = 32,
            RunProgress = bar,
            StopAndKeep = stopAndKeep,
            CancellationToken = cancellationToken,
        });

        // What the model makes of the same captions before.
        var untuned = ml.Transforms.GenerateImages(
            "Picture", "Caption", model, new GenerateImagesOptions { TextToImage = drawing, GenerationBatchSize = 32 }).Fit(heldOutRows);
        var before = Pictures(untuned, heldOutRows);

        SampleProgram.Heading("Fine-tuning");
        var clock = Stopwatch.StartNew();
        var tuned = (TextToImageTransformer)bar.Show(() => painter.Fit(trainingRows));
        var trainingTime = clock.Elapsed;
        var loss = tuned.TextToImageResult!;

        // The tuned model is an ML.NET model file, which another program loads.
        ml.Generation.Save(tuned, trainingRows.Schema, InOutput("painter.zip"));
        var after = Pictures(new MLContext(seed).Model.Load(InOutput("painter.zip"), out _), heldOutRows);

        SceneScore Score(IEnumerable<MLImage> images) =>
            SceneScore.Of(scenes, [.. images.Select(image => SceneChecker.Check(SceneImages.ToPicture(image)))]);
        Print(Score(before), Score(after), Score(heldOut.Select(row => row.Image!)), loss);
        PictureSheet.Write(
            InOutput("scenes.png"), $"{model}, fine-tuned on {training.Count} scenes of the night",
            [.. heldOut.Take(PictureSheet.Columns).Select(row => row.Caption)],
            ("real: pictures of these captions", Some(heldOut.Select(row => row.Image!))),
            ("before", Some(before)),
            ($"after {loss.Steps} steps", Some(after)));

        // Of a picture the upper half is kept and the rest drawn as its caption says; then a third of it is drawn anew.
        var given = ml.Data.TakeRows(heldOutRows, PictureSheet.Columns);
        List<MLImage> Change(ImageGenerationOptions change) => Pictures(
            ml.Transforms.GenerateImages("Picture", "Image", InOutput("painter.zip"), new GenerateImagesOptions
            {
                CaptionColumnName = "Caption", TextToImage = change, GenerationBatchSize = PictureSheet.Columns,
            }).Fit(given), given);
        PictureSheet.Write(
            InOutput("changed.png"), "Pictures from pictures", [.. heldOut.Take(PictureSheet.Columns).Select(row => row.Caption)],
            ("real", Some(heldOut.Select(row => row.Image!))),
            ("upper half kept", Change(drawing with { KeptRows = 0.5 })),
            ("a third drawn anew", Change(drawing with { RedrawnShare = 1 / 3.0 })));

        Console.WriteLine(
            $"Trained in {trainingTime.TotalSeconds:F1} s; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
        Console.WriteLine(
            $"scenes.png, changed.png, painter.zip, run.html and metrics.jsonl are in {Path.GetFullPath(output)}");
    }

    private static (List<Scene> Scenes, List<SceneRow> Rows) Compose(int count, int seed)
    {
        var random = new Random(seed);
        var scenes = Enumerable.Range(0, count).Select(_ => Scene.Draw(SceneStyle.Night, random)).ToList();
        return (scenes,
        [
            .. scenes.Select(scene => new SceneRow
            {
                Caption = SceneCaptions.Full(scene), Image = SceneImages.ToImage(SceneComposer.Draw(scene, SceneStyle.Night, random)),
            }),
        ]);
    }

    private static List<MLImage> Pictures(ITransformer painter, IDataView rows) =>
        [.. painter.Transform(rows).GetColumn<MLImage>("Picture")];

    private static IEnumerable<MLImage> Some(IEnumerable<MLImage> pictures) => pictures.Take(PictureSheet.Columns);

    private static void Print(SceneScore before, SceneScore after, SceneScore real, TextToImageTrainingResult loss)
    {
        var table = new Table().AddColumns("as the caption says", "before", "after", "real");
        foreach (var (name, share) in (ReadOnlySpan<(string, Func<SceneScore, double>)>)[
            ("colours", score => score.Colours), ("shapes", score => score.Shapes), ("how many", score => score.Counts),
            ("how they lie", score => score.Relation), ("all of it", score => score.All)])
        {
            table.AddRow(name, $"{share(before):P0}", $"{share(after):P0}", $"{share(real):P0}");
        }

        table.AddRow("held-out loss (nats)", $"{loss.InitialValidationLoss:F3}", $"{loss.ValidationLoss:F3}", "");
        AnsiConsole.Write(table);
        Console.WriteLine($"What is seen in real pictures is right in {real.All:P0} of them.");
    }
}
