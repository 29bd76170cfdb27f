using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Torch.Training.Adversarial;

namespace MLTransfer.Tests.Pages;

/// <summary>The program of <c>docs/images.md</c>.</summary>
internal static class ImageProgram
{
    public static void Run()
    {
        #region Images
        var ml = new MLContext(seed: 1);
        var files = ml.Data.LoadFromTextFile<Picture>("faces.tsv"); // a file name a line
        var faces = ml.Transforms.LoadImages("Image", imageFolder: "faces", "FileName")
            .Append(ml.Transforms.ResizeImages("Image", imageWidth: 32, imageHeight: 32))
            .Fit(files).Transform(files);

        var painter = ml.Transforms.FineTuneImageGenerator("Picture", "Seed", trainingColumnName: "Image", new ImageGeneratorOptions
        {
            PretrainedModel = PretrainedModels.Shapes,
            Training = new AdversarialTrainingOptions
            {
                TotalImages = 640, // for a first look; the sample shows 10,000
                BatchSize = 16, FrozenDiscriminatorBlocks = 1, OutputDirectory = "run",
            },
        }).Fit(faces);
        ml.Model.Save(painter, faces.Schema, "painter.zip");

        var seeds = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 16).Select(seed => new SeedRow { Seed = seed }));
        foreach (var picture in painter.Transform(seeds).GetColumn<MLImage>("Picture"))
            picture.Save($"{Guid.NewGuid()}.png");
        ml.Generation.ExportToOnnx(painter, "painter.onnx"); // z and psi to image, for ONNX Runtime and ApplyOnnxModel
        #endregion
    }

    private sealed class Picture
    {
        [LoadColumn(0)]
        public string FileName { get; set; } = "";
    }

    private sealed class SeedRow
    {
        public int Seed { get; set; }
    }
}
