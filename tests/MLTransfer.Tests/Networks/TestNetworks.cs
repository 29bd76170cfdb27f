using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using Microsoft.ML;

namespace MLTransfer.Tests.Networks;

/// <summary>Small pretrained networks.</summary>
internal static class TestNetworks
{
    /// <summary>What the classic recipe puts on a network.</summary>
    public static Layer[] NewLayers { get; } =
        [Layer.Dense(256, Activation.Relu), Layer.Dense(512, Activation.Relu), Layer.Dense(3, Activation.Sigmoid)];

    /// <summary>
    /// Trains a convolutional network to tell where a square is, and writes it as an ONNX file; its features are the value
    /// <see cref="Features"/>.
    /// </summary>
    public static void PretrainToOnnx(string path, int epochs = 4)
    {
        var ml = new MLContext(seed: 5);
        using var model = ml.Transforms.FineTuneTorchModule("Found", "Image", "Place", new TorchModuleOptions
        {
            NewLayers =
            [
                Layer.Convolution(8, 3), Layer.BatchNormalization(Activation.Relu), Layer.MaximumPooling(),
                Layer.Convolution(16, 3, Activation.Relu),
                Layer.MaximumPooling(), Layer.Flatten(), Layer.Dense(2),
            ],
            Training = new() { NumberOfEpochs = epochs, BatchSize = 16, LearningRate = 3e-3 },
        }).Fit(ml.Data.LoadFromEnumerable(Drawings.Make(64, seed: 2)));
        ml.Generation.ExportToOnnx(model, path);
    }

    /// <summary>The name of the last value before the classes: the graph's nodes are called by their operators.</summary>
    public const string Features = "flatten";

    /// <summary>Every tensor of the pretrained network as bytes.</summary>
    public static Dictionary<string, byte[]> Bytes(BaseNetwork network) =>
        network.Parameters.Concat(network.Buffers).ToDictionary(pair => pair.Key, pair => pair.Value.bytes.ToArray());
}
