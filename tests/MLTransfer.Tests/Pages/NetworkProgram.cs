using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Tests.Pages;

/// <summary>The program of <c>docs/networks.md</c>.</summary>
internal static class NetworkProgram
{
    public static void Run()
    {
        #region Networks
        var ml = new MLContext(seed: 1);
        IDataView photos = ml.Data.LoadFromTextFile<Photo>("photos.tsv"); // a file name and three numbers a line

        var pipeline = ml.Transforms.LoadImages("Image", imageFolder: "photos", "FileName")
            .Append(ml.Transforms.ResizeImages("Image", imageWidth: 16, imageHeight: 16))
            .Append(ml.Transforms.FineTuneTorchModule("Colour", inputColumnName: "Image", labelColumnName: "Label", new TorchModuleOptions
            {
                Pretrained = PretrainedNetwork.OnnxLayers("base.onnx", outputName: "flatten"),
                InputScaling = ImageScaling.ImageNet, // as the network was trained with
                Freezing = BaseFreezing.All,
                NewLayers = [Layer.Dense(256, Activation.Relu), Layer.Dense(512, Activation.Relu), Layer.Dense(3, Activation.Sigmoid)],
                Training = new() { Loss = TrainingLoss.MeanSquaredError, Optimizer = OptimizerAlgorithm.Adam, NumberOfEpochs = 10 },
                ValidationFraction = 0.2,
            }));

        var model = pipeline.Fit(photos);
        ml.Model.Save(model, photos.Schema, "colours.zip");
        ml.Generation.ExportToOnnx(model, "colours.onnx");
        #endregion
    }

    private sealed class Photo
    {
        [LoadColumn(0)]
        public string? FileName { get; set; }

        [LoadColumn(1, 3), VectorType(3)]
        public float[]? Label { get; set; }
    }
}
