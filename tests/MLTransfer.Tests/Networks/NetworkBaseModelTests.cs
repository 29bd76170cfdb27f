using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Networks;

/// <summary>Training on: a network starts from one that was trained before.</summary>
public sealed class NetworkBaseModelTests : IDisposable
{
    private static readonly Layer[] s_layers =
    [
        Layer.Convolution(4, 3), Layer.BatchNormalization(Activation.Relu), Layer.GlobalAveragePooling(), Layer.Dropout(0.2),
        Layer.Dense(3, Activation.Sigmoid),
    ];

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;

    public NetworkBaseModelTests() => _data = _ml.Data.LoadFromEnumerable(Drawings.Make(16));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_form_of_a_base_gives_the_weights_that_its_folder_gives()
    {
        using var first = Fit(null, s_layers);
        var before = Bytes(first);
        _ml.Model.Save(first, _data.Schema, _folder["first.zip"]);
        var loaded = _ml.Model.Load(_folder["first.zip"], out _);
        _ml.Generation.SaveModelFolder(first, _folder["first"]);

        var layers = LayerJson.Read(File.ReadAllText(_folder["first/layers.json"]));
        using var ofFolder = Fit(PretrainedNetwork.Layers(_folder["first/model.safetensors"], layers), []);

        using var ofZip = Fit(PretrainedNetwork.ModelFile(_folder["first.zip"]), []);
        using var ofTransformer = Fit(PretrainedNetwork.Model(first), []);
        using var ofChain = Fit(PretrainedNetwork.Model(loaded), []);
        var expected = Bytes(ofFolder);
        Assert.NotEqual(before, expected);
        Assert.All((TorchModuleTransformer[])[ofZip, ofTransformer, ofChain], other => Assert.Equal(expected, Bytes(other)));
        Assert.Equal(before, Bytes(first)); // the base stays as it is
    }

    [Theory]
    [InlineData("features")]
    [InlineData("layers")]
    [InlineData("module")]
    [InlineData("script")]
    public void Every_kind_of_pretrained_part_is_copied_and_frozen_as_said(string kind)
    {
        if (kind is "features" or "layers")
            TestNetworks.PretrainToOnnx(_folder["base.onnx"], epochs: 1);
        if (kind == "script")
            File.WriteAllBytes(_folder["base.pt"], TorchScriptFile.Linear(Drawings.Size, 4));
        var pretrained = kind switch
        {
            "features" => PretrainedNetwork.OnnxFeatures(_folder["base.onnx"], TestNetworks.Features),
            "layers" => PretrainedNetwork.OnnxLayers(_folder["base.onnx"], TestNetworks.Features),
            "module" => PretrainedNetwork.Module<OwnModule>(),
            _ => PretrainedNetwork.TorchScript(_folder["base.pt"]),
        };
        Layer[] more = [Layer.Dense(5, Activation.Relu), Layer.Dense(3)];
        using var first = Fit(pretrained, [Layer.Flatten(), Layer.Dense(3, Activation.Sigmoid)], BaseFreezing.All);
        var before = Bytes(first);

        using var frozen = Fit(PretrainedNetwork.Model(first), more, BaseFreezing.All);

        Assert.Equal(before, Bytes(first));
        Assert.Equal(4, frozen.Network.NewLayers.Layers.Count);
        if (frozen.Network.Pretrained is { Parameters.Count: > 0 } part)
        {
            Assert.Equal(TestNetworks.Bytes(first.Network.Pretrained!), TestNetworks.Bytes(part));
            using var trained = Fit(PretrainedNetwork.Model(first), more, BaseFreezing.None);
            Assert.NotEqual(TestNetworks.Bytes(first.Network.Pretrained!), TestNetworks.Bytes(trained.Network.Pretrained!));
        }

        _ml.Model.Save(frozen, _data.Schema, _folder["second.zip"]);
        TrustedModules.AllowTorchScript = true;
        using var again = (TorchModuleTransformer)_ml.Model.Load(_folder["second.zip"], out _);
        Assert.Equal(Bytes(frozen), Bytes(again));
    }

    [Fact]
    public void A_network_that_was_trained_on_other_numbers_or_shapes_is_refused()
    {
        using var first = Fit(null, s_layers);

        Assert.StartsWith(
            nameof(TorchModuleOptions.InputScaling), Error(o => o.InputScaling = ImageScaling.ImageNet), StringComparison.Ordinal);
        Assert.StartsWith(nameof(TorchModuleOptions.InputShape), Error(o => o.InputShape = [1, 16, 16]), StringComparison.Ordinal);
        Assert.Contains("no network of layers", Assert.Throws<ArgumentException>(
            () => Fit(PretrainedNetwork.Model(_ml.Transforms.CopyColumns("A", "Label").Fit(_data)), [])).Message, StringComparison.Ordinal);

        string Error(Action<TorchModuleOptions> change)
        {
            var options = Options(PretrainedNetwork.Model(first), [], BaseFreezing.None);
            change(options);
            return Assert.Throws<ArgumentException>(
                () => _ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", options).Fit(_data)).Message;
        }
    }

    private TorchModuleTransformer Fit(PretrainedNetwork? pretrained, Layer[] layers, BaseFreezing? freezing = null) =>
        _ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", Options(pretrained, layers, freezing ?? BaseFreezing.None))
            .Fit(_data);

    private static TorchModuleOptions Options(PretrainedNetwork? pretrained, Layer[] layers, BaseFreezing freezing) => new()
    {
        Pretrained = pretrained, NewLayers = layers, Freezing = freezing, Seed = 3,
        Training = new() { NumberOfEpochs = 2, BatchSize = 8, LearningRate = 1e-2 },
    };

    private static byte[] Bytes(TorchModuleTransformer model) =>
    [
        .. (model.Network.Pretrained is { } part ? part.Parameters.Concat(part.Buffers) : [])
            .Concat(model.Network.NewLayers.state_dict()).SelectMany(tensor => tensor.Value.bytes.ToArray()),
    ];
}
