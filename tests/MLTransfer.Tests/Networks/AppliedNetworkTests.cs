using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Networks;

/// <summary>A pretrained network as it is, without labels and without training.</summary>
public sealed class AppliedNetworkTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("features")]
    [InlineData("layers")]
    [InlineData("described")]
    [InlineData("script")]
    [InlineData("module")]
    public void Every_kind_of_network_runs_as_it_is_and_is_saved(string kind)
    {
        var data = new CountingDataView(Rows());
        var network = Network(kind);
        var estimator = _ml.Transforms.ApplyTorchModule("Out", "Values", network, new() { InputShape = [4], TransformBatchSize = 2 });
        var shape = estimator.GetOutputSchema(SchemaShape.Create(data.Schema));
        using var model = estimator.Fit(data);
        Assert.Equal(0, data.RowsRead);
        Assert.Empty(model.History.Epochs);

        var found = model.Transform(data).GetColumn<float[]>("Out").ToList();

        Assert.Equal(
            SchemaShape.Create(model.GetOutputSchema(data.Schema)).Select(c => (c.Name, c.Kind)), shape.Select(c => (c.Name, c.Kind)));
        using (var loaded = network.Load([4]))
        {
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            foreach (var (row, values) in Values().Zip(found))
            {
                var expected = loaded.Forward(tensor(row, [1, 4])).data<float>().ToArray();
                Assert.All(expected.Zip(values), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
            }
        }

        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);
        TrustedModules.AllowTorchScript = kind == "script";
        try
        {
            using var again = (TorchModuleTransformer)_ml.Model.Load(_folder["model.zip"], out _);
            Assert.Equal(found, again.Transform(data).GetColumn<float[]>("Out"));
        }
        finally
        {
            TrustedModules.AllowTorchScript = false;
        }

        if (kind is "script" or "module")
        {
            Assert.Throws<NotSupportedException>(() => _ml.Generation.ExportToOnnx(model, _folder["model.onnx"]));
            return;
        }

        _ml.Generation.ExportToOnnx(model, _folder["model.onnx"]);
        var applied = _ml.Transforms.ApplyOnnxModel("Out", "Values", _folder["model.onnx"]).Fit(Rows()).Transform(Rows());
        Assert.All(found.Zip(applied.GetColumn<float[]>("Out")), row =>
            Assert.All(row.First.Zip(row.Second), pair => Assert.Equal(pair.First, pair.Second, 1e-5f)));
    }

    [Fact]
    public void What_the_network_gives_is_a_vector_a_number_or_a_picture_as_asked()
    {
        using var scope = NewDisposeScope();
        var weight = ones(1, 4) / 4;
        SafetensorsWriter.Write(_folder["mean.safetensors"], [new("0.weight", weight)]);
        var mean = PretrainedNetwork.Layers(_folder["mean.safetensors"], [Layer.Dense(1, hasBias: false)]);
        using var number = _ml.Transforms.ApplyTorchModule("Out", "Values", mean, new() { Output = NetworkOutputKind.Scalar }).Fit(Rows());
        Assert.Equal(
            Values().Select(row => row.Average()), number.Transform(Rows()).GetColumn<float>("Out"), (a, b) => Math.Abs(a - b) < 1e-6);

        // A convolution that lets pictures through.
        SafetensorsWriter.Write(_folder["same.safetensors"], [new("0.weight", eye(3).view(3, 3, 1, 1))]);
        var same = PretrainedNetwork.Layers(_folder["same.safetensors"], [Layer.Convolution(3, 1, hasBias: false)]);
        var drawings = Drawings.Make(3);
        using var picture = _ml.Transforms.ApplyTorchModule(
            "Out", "Image", same, new() { Output = NetworkOutputKind.Image }).Fit(_ml.Data.LoadFromEnumerable(drawings));
        var pictures = picture.Transform(_ml.Data.LoadFromEnumerable(drawings)).GetColumn<MLImage>("Out").ToList();
        Assert.All(drawings.Zip(pictures), pair => Assert.True(
            pair.First.Image!.Pixels.Length == pair.Second.Pixels.Length && Red(pair.First.Image).SequenceEqual(Red(pair.Second))));

        var wrong = _ml.Transforms.ApplyTorchModule("Out", "Values", mean, new() { Output = NetworkOutputKind.Image });
        Assert.Contains("[1]", Assert.Throws<ArgumentException>(() => wrong.Fit(Rows())).Message, StringComparison.Ordinal);
        Assert.Contains("Could not find input column 'None'", Assert.Throws<ArgumentException>(
            () => _ml.Transforms.ApplyTorchModule("Out", "None", mean).Fit(Rows())).Message, StringComparison.Ordinal);

        // Alpha, red, green, blue or another order: as the image says.
        static byte[] Red(MLImage image) => [.. image.Pixels.ToArray()
            .Where((_, index) => index % 4 == (image.PixelFormat == MLPixelFormat.Rgba32 ? 0 : 2))];
    }

    private PretrainedNetwork Network(string kind)
    {
        switch (kind)
        {
            case "script":
                File.WriteAllBytes(_folder["base.pt"], TorchScriptFile.Linear(4, 6));
                return PretrainedNetwork.TorchScript(_folder["base.pt"]);
            case "module":
                return PretrainedNetwork.Module<Doubling>();
            case "described":
                using (var linear = nn.Linear(4, 3))
                {
                    SafetensorsWriter.Write(
                        _folder["base.safetensors"], [new("main.0.weight", linear.weight!), new("main.0.bias", linear.bias!)]);
                }

                File.WriteAllText(_folder["layers.json"], LayerJson.Write([Layer.Dense(3), Layer.LeakyRelu(0.3)]));
                return PretrainedNetwork.Layers(_folder["base.safetensors"], _folder["layers.json"], prefix: "main");
            default:
                using (var trained = _ml.Transforms.FineTuneTorchModule("Out", "Values", "Values", new TorchModuleOptions
                {
                    NewLayers = [Layer.Dense(8, Activation.Tanh), Layer.Dense(4)],
                    Training = new() { NumberOfEpochs = 1 },
                }).Fit(Rows()))
                {
                    _ml.Generation.ExportToOnnx(trained, _folder["base.onnx"]);
                }

                return kind == "layers" ? PretrainedNetwork.OnnxLayers(_folder["base.onnx"], "tanh")
                    : PretrainedNetwork.OnnxFeatures(_folder["base.onnx"]);
        }
    }

    private IDataView Rows() => _ml.Data.LoadFromEnumerable(Values().Select(values => new Row { Values = values }));

    private static float[][] Values() => [[1, 2, 3, 4], [-1, 0.5f, 0, 2], [0, 0, 0, 0], [3, -3, 1, -1], [0.1f, 0.2f, 0.3f, 0.4f]];

    /// <summary>A network of the user's own.</summary>
    public sealed class Doubling() : nn.Module<Tensor, Tensor>(nameof(Doubling))
    {
        /// <inheritdoc/>
        public override Tensor forward(Tensor input) => input * 2;
    }

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Values { get; set; } = [];
    }
}
