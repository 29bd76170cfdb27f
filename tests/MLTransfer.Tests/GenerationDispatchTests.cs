using MLTransfer.Onnx;
using MLTransfer.Tests.Images;
using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Described;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>What <c>mlContext.Generation</c> does depends on what the model is.</summary>
public sealed class GenerationDispatchTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_kind_of_model_is_exported_as_its_runtime_wants_it()
    {
        var (text, image, network) = Models();

        Assert.Equal("model.onnx", Assert.Single(_ml.Generation.ExportToOnnx(text, _folder["text"])).Name);
        Assert.True(File.Exists(_folder["text/tokenizer.json"]));
        var painter = Assert.Single(_ml.Generation.ExportToOnnx(image, _folder["painter.onnx"]));
        Assert.Equal(("painter.onnx", new FileInfo(_folder["painter.onnx"]).Length), (painter.Name, painter.ByteCount));
        Assert.InRange(painter.LargestDifference!.Value, 0, 1e-3);
        var layers = Assert.Single(_ml.Generation.ExportToOnnx(network, _folder["network.onnx"]));
        Assert.Equal(("network.onnx", new FileInfo(_folder["network.onnx"]).Length), (layers.Name, layers.ByteCount));
        foreach (var model in (ITransformer[])[image, network])
        {
            Assert.Contains("Only text generators", Assert.Throws<ArgumentException>(
                () =>
                    _ml.Generation.ExportToOnnx(model, _folder["other.onnx"], new OnnxExportOptions())).Message, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(_folder["other.onnx"]));
    }

    [Fact]
    public void Each_kind_of_model_is_saved_as_a_folder_that_training_starts_from()
    {
        var (text, image, network) = Models();
        var stories = _ml.Data.LoadFromEnumerable(TestData.Stories(3));
        var seeds = TinyGenerator.Seeds(_ml, 3);
        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(5));

        foreach (var (model, folder) in ((ITransformer, string)[])[(text, "text"), (image, "image"), (network, "network")])
        {
            _ml.Generation.SaveModelFolder(model, _folder[folder]);
            _ml.Generation.SaveModelFolder(model, _folder[folder]); // a model may be replaced
            Directory.CreateDirectory(_folder["full"]);
            File.WriteAllText(_folder["full/precious.txt"], "");
            Assert.Contains("not empty", Assert.Throws<IOException>(() => _ml.Generation.SaveModelFolder(model, _folder["full"])).Message,
                StringComparison.Ordinal);
        }

        using var loadedText = _ml.Transforms.Text.GenerateText("Continuation", "Opening", _folder["text"], Short()).Fit(stories);
        Assert.Equal(
            text.Transform(stories).GetColumn<string>("Continuation"), loadedText.Transform(stories).GetColumn<string>("Continuation"));
        using var loadedImage = _ml.Transforms.GenerateImages("Picture", "Seed", _folder["image"]).Fit(seeds);
        Assert.Equal(TinyGenerator.Pixels(image.Transform(seeds)), TinyGenerator.Pixels(loadedImage.Transform(seeds)));
        var pretrained = PretrainedNetwork.Layers(
            _folder["network/model.safetensors"], LayerJson.Read(File.ReadAllText(_folder["network/layers.json"])));
        using var loadedNetwork = pretrained.Load([3, 16, 16]);
        Assert.Equal(
            network.Network.NewLayers.state_dict().Values.Select(tensor => tensor.bytes.ToArray()),
            loadedNetwork.Parameters.Concat(loadedNetwork.Buffers).Select(pair => pair.Value.bytes.ToArray()));
        Assert.Equal(5, network.Transform(drawings).GetColumn<float[]>("Colour").Count());

        foreach (var (model, file) in ((ITransformer, string)[])
            [(text, "model.safetensors"), (image, "generator.safetensors"), (network, "model.safetensors")])
        {
            _ml.Generation.SaveModelFolder(model, _folder["whole"]);
            var length = new FileInfo(_folder[$"whole/{file}"]).Length;
            _ml.Generation.SaveModelFolder(model, _folder["half"], WeightType.Float16);
            Assert.InRange(new FileInfo(_folder[$"half/{file}"]).Length, 0.4 * length, 0.9 * length);
            Directory.Delete(_folder["whole"], recursive: true);
            Directory.Delete(_folder["half"], recursive: true);
        }

        TestNetworks.PretrainToOnnx(_folder["base.onnx"], epochs: 1);
        using var ofOnnx = _ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", new TorchModuleOptions
        {
            Pretrained = PretrainedNetwork.OnnxLayers(_folder["base.onnx"], TestNetworks.Features), NewLayers = [Layer.Dense(3)],
            Training = new() { NumberOfEpochs = 1 },
        }).Fit(drawings);
        Assert.Contains("base.onnx", Assert.Throws<NotSupportedException>(
            () => _ml.Generation.SaveModelFolder(ofOnnx, _folder["onnx"])).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["onnx"]));
    }

    [Fact]
    public void Texts_and_pictures_are_measured_each_with_their_own_metrics()
    {
        var (text, image, network) = Models();
        var stories = _ml.Data.LoadFromEnumerable(TestData.Stories(3));
        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(8));
        var colours = new DelegateFeatureExtractor(images => images.mean([2, 3]));
        var renamed = _ml.Transforms.CopyColumns("Real", "Image").Fit(drawings).Append(image); // what comes before the generator runs

        TextGenerationMetrics loss = _ml.Generation.Evaluate(text, stories, "Text");
        ImageDistances distances = _ml.Generation.Evaluate(renamed, drawings, "Real", colours, count: 16);

        Assert.True(loss.TokenCount > 0);
        Assert.True(distances.FrechetDistance > 0);
        Assert.Contains("no text generator", Message(() => _ml.Generation.Evaluate(image, stories, "Text")), StringComparison.Ordinal);
        Assert.Contains(
            "no image generator", Message(() => _ml.Generation.Evaluate(text, drawings, "Image", colours)), StringComparison.Ordinal);
        Assert.Contains(nameof(TorchModuleTransformer), Message(() => _ml.Generation.Evaluate(network, stories)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_chain_without_a_model_is_refused_with_what_is_in_it()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        var chain = _ml.Transforms.CopyColumns("Copy", "Text").Append(_ml.Transforms.DropColumns("Number")).Fit(data);
        string[] messages =
        [
            Message(() => _ml.Generation.ExportToOnnx(chain, _folder["export"])),
            Message(() => _ml.Generation.SaveModelFolder(chain, _folder["folder"])),
            Message(() => _ml.Generation.Evaluate(chain, data)),
            Message(() => _ml.Generation.Evaluate(chain, data, "Text", new DelegateFeatureExtractor(images => images))),
        ];

        Assert.All(messages,
            message => Assert.Contains("ColumnCopyingTransformer, ColumnSelectingTransformer", message, StringComparison.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    private static GenerateTextOptions Short() => new() { Generation = new() { MaximumNewTokens = 5 } };

    private static string Message(Action action) => Assert.Throws<ArgumentException>(action).Message;

    private (TextGeneratorTransformer Text, ITransformer Image, TorchModuleTransformer Network) Models() => (
        _ml.Transforms.Text.GenerateText("Continuation", "Opening", TestData.TinyModel, Short())
            .Fit(_ml.Data.LoadFromEnumerable(TestData.Stories(1))),
        _ml.Transforms.GenerateImages("Picture", "Seed", TinyGenerator.Save(_folder)).Fit(TinyGenerator.Seeds(_ml, 1)),
        _ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", new TorchModuleOptions
        {
            NewLayers = [Layer.Convolution(4, 3), Layer.BatchNormalization(), Layer.GlobalAveragePooling(), Layer.Dense(3)],
            Training = new() { NumberOfEpochs = 1 },
        }).Fit(_ml.Data.LoadFromEnumerable(Drawings.Make(8))));
}
