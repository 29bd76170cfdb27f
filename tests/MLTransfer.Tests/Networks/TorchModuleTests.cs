using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Networks;

public sealed class TorchModuleTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("features")]
    [InlineData("layers, frozen")]
    [InlineData("layers, partly trained")]
    public void The_classic_recipe_learns_on_a_pretrained_network(string kind)
    {
        TestNetworks.PretrainToOnnx(_folder["base.onnx"]);
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(96));
        var messages = new List<string>();
        _ml.Log += (_, entry) => messages.Add(entry.Message);
        var reported = new List<EpochResult>();

        using var model = _ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", new TorchModuleOptions
        {
            Pretrained = kind == "features"
                ? PretrainedNetwork.OnnxFeatures(_folder["base.onnx"], TestNetworks.Features)
                : PretrainedNetwork.OnnxLayers(_folder["base.onnx"], TestNetworks.Features),
            Freezing = kind == "layers, partly trained" ? BaseFreezing.AllButLast(1) : BaseFreezing.All,
            InputScaling = ImageScaling.Pixels, // the exported network scales them itself
            NewLayers = TestNetworks.NewLayers,
            Training = new() { BatchSize = 8 },
            ValidationFraction = 0.25,
            Progress = new Recorder(reported),
        }).Fit(data);

        Assert.Equal(10, model.History.Epochs.Count);
        Assert.Equal(model.History.Epochs, reported);
        Assert.True(model.History.Epochs[^1].Loss < model.History.Epochs[0].Loss / 4,
            $"{model.History.Epochs[0].Loss} to {model.History.Epochs[^1].Loss}");
        Assert.True(model.History.Epochs[^1].ValidationLoss < 0.04);
        Assert.Contains(messages, message => message.Contains("Epoch 10 of 10: loss 0.0", StringComparison.Ordinal)
            && message.Contains("validation loss 0.0", StringComparison.Ordinal)
            && message.Contains("mean absolute error", StringComparison.Ordinal));
        if (kind != "features")
        {
            using var original = PretrainedNetwork.OnnxLayers(_folder["base.onnx"], TestNetworks.Features).Load([3, 16, 16]);
            var (before, after) = (TestNetworks.Bytes(original), TestNetworks.Bytes(model.Network.Pretrained!));
            foreach (var (name, bytes) in before)
                Assert.Equal(kind == "layers, partly trained" && name.StartsWith("new.3.", StringComparison.Ordinal),
                    !bytes.SequenceEqual(after[name]));
        }

        var colours = model.Transform(data).GetColumn<float[]>("Colour").ToList();
        var error = colours.Zip(data.GetColumn<float[]>("Label"), (found, wanted) => found.Zip(wanted, (a, b) => Math.Abs(a - b)).Average())
            .Average();
        Assert.True(error < 0.15, $"{error}");
    }

    [Fact]
    public void Rows_do_not_depend_on_batches_threads_or_the_way_they_are_asked_for()
    {
        var drawings = Drawings.Make(20);
        var data = _ml.Data.LoadFromEnumerable(drawings);
        using var model = Fit(data, o => o.TransformBatchSize = 7);
        var counting = new CountingDataView(data);
        var view = model.Transform(counting);
        var expected = view.GetColumn<float[]>("Colour").ToList();
        Assert.Equal(["Image"], counting.ColumnsRead);
        Assert.Equal(20, counting.RowsRead);

        var results = new List<float[]>[2];
        var threads = Enumerable.Range(0, 2).Select(i => new Thread(() => results[i] = [.. view.GetColumn<float[]>("Colour")])).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        AssertClose(expected, results[0]);
        AssertClose(expected, results[1]);

        using var engine = _ml.Model.CreatePredictionEngine<Drawing, Coloured>(model, data.Schema);
        AssertClose(expected, [.. drawings.Select(drawing => engine.Predict(drawing).Colour!)]);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 3), view.Schema["Colour"].Type);
        Assert.Equal(drawings.Select(drawing => drawing.Class), view.GetColumn<string>("Class"));
        var rows = _ml.Data.CreateEnumerable<DrawingWithColour>(view, reuseRowObject: false).ToList();
        AssertClose(expected, [.. rows.Select(row => row.Colour!)]);
        Assert.All(rows.Zip(drawings), pair => Assert.Equal(pair.Second.Image!.Pixels.ToArray(), pair.First.Image!.Pixels.ToArray()));

        using var cursor = view.GetRowCursor([view.Schema["Class"]]);
        Assert.False(cursor.IsColumnActive(view.Schema["Colour"]));
        model.Dispose();
        Assert.Equal(20, view.GetColumn<string>("Class").Count()); // needs no network
        Assert.Throws<ObjectDisposedException>(() => view.GetColumn<float[]>("Colour").ToList());
    }

    [Fact]
    public void The_type_of_the_label_decides_the_type_of_the_output()
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(48));
        using (var classes = Fit(data, "Class", TrainingLoss.CategoricalCrossEntropy, Layer.Dense(3, Activation.Softmax), keys: true))
        {
            var probabilities = classes.Transform(data).GetColumn<float[]>("Colour").ToList();
            Assert.All(probabilities, row => Assert.Equal(1, row.Sum(), 1e-5));
            Assert.Equal("accuracy", classes.History.MetricName);
            Assert.True(classes.History.Epochs[^1].Metric > 0.7);
        }

        using (var truth = Fit(data, nameof(Drawing.IsRed), TrainingLoss.BinaryCrossEntropy, Layer.Dense(1, Activation.Sigmoid)))
        {
            var scores = truth.Transform(data).GetColumn<float>("Colour").ToList();
            Assert.All(scores, score => Assert.InRange(score, 0, 1));
            Assert.True(truth.History.Epochs[^1].Metric > 0.8);
        }

        using var number = Fit(data, nameof(Drawing.Red), TrainingLoss.MeanAbsoluteError, Layer.Dense(1));
        Assert.Equal(NumberDataViewType.Single, number.GetOutputSchema(data.Schema)["Colour"].Type);
    }

    [Fact]
    public void A_network_may_give_images()
    {
        var drawings = Drawings.Make(24);
        var data = _ml.Data.LoadFromEnumerable(drawings);
        using var model = _ml.Transforms.FineTuneTorchModule("Painted", "Image", "Image", new TorchModuleOptions
        {
            NewLayers = [Layer.Convolution(3, 1)], Training = new() { NumberOfEpochs = 400, BatchSize = 8, LearningRate = 0.03 },
            InputScaling = ImageScaling.ImageNet, OutputScaling = ImageScaling.MinusOneToOne,
        }).Fit(data);

        var view = model.Transform(data);

        Assert.Equal(new ImageDataViewType(16, 16), view.Schema["Painted"].Type);
        foreach (var (painted, drawing) in view.GetColumn<MLImage>("Painted").Zip(drawings))
        {
            Assert.Equal(MLPixelFormat.Rgba32, painted.PixelFormat);
            Assert.All(
                painted.Pixels.ToArray().Zip(drawing.Image!.Pixels.ToArray()), pair => Assert.InRange(pair.First - pair.Second, -12, 12));
            painted.Dispose();
        }
    }

    [Fact]
    public void A_flat_vector_takes_the_shape_of_the_options_and_gives_what_the_image_gives()
    {
        var drawings = Drawings.Make(16);
        var extracted = _ml.Data.LoadFromEnumerable(Drawings.Make(16)); // ML.NET disposes the images
        var vectors = _ml.Transforms.ExtractPixels("Pixels", "Image", interleavePixelColors: false, scaleImage: 1 / 255f).Fit(extracted)
            .Transform(extracted);
        var rows = vectors.GetColumn<float[]>("Pixels")
            .Zip(drawings, (pixels, drawing) => new Pixels { Values = pixels, Label = drawing.Label });
        var flat = _ml.Data.LoadFromEnumerable(rows.ToList());
        Layer[] layers = [Layer.Convolution(4, 3), Layer.GlobalAveragePooling(), Layer.Dense(3)];

        using var ofVectors = _ml.Transforms.FineTuneTorchModule(
            "Out", "Values", "Label", new TorchModuleOptions { NewLayers = layers, InputShape = [3, 16, 16] }).Fit(flat);
        using var ofImages = _ml.Transforms.FineTuneTorchModule("Out", "Image", "Label", new TorchModuleOptions { NewLayers = layers })
            .Fit(_ml.Data.LoadFromEnumerable(drawings));

        AssertClose([.. ofImages.Transform(_ml.Data.LoadFromEnumerable(drawings)).GetColumn<float[]>("Out")],
            [.. ofVectors.Transform(flat).GetColumn<float[]>("Out")]);
    }

    [Fact]
    public void Described_layers_take_their_weights_from_safetensors()
    {
        using var scope = NewDisposeScope();
        using var linear = nn.Linear(768, 5);
        SafetensorsWriter.Write(_folder["base.safetensors"], [new("fc.weight", linear.weight!), new("fc.bias", linear.bias!)]);
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(12));

        using var model = Fit(data, o => o.Pretrained = PretrainedNetwork.Layers(
            _folder["base.safetensors"], [Layer.Flatten(), Layer.Dense(5, Activation.Relu) with { Name = "fc" }]));

        Assert.Equal(["fc.weight", "fc.bias"], model.Network.Pretrained!.Parameters.Select(p => p.Key));
        Assert.Equal(linear.weight!.bytes.ToArray(), model.Network.Pretrained.Parameters[0].Value.bytes.ToArray());
    }

    [Fact]
    public void A_module_of_the_users_own_is_named_by_its_type()
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(12));
        using (var original = new OwnModule())
            SafetensorsWriter.Write(
                _folder["own.safetensors"], original.state_dict().Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
        using var expected = SafetensorsFile.Open(_folder["own.safetensors"]);

        using var model =
            Fit(data, o => o.Pretrained = PretrainedNetwork.Module(typeof(OwnModule).AssemblyQualifiedName!, _folder["own.safetensors"]));

        foreach (var (name, parameter) in model.Network.Pretrained!.Parameters)
        {
            using var stored = expected.Read(name);
            Assert.Equal(stored.bytes.ToArray(), parameter.bytes.ToArray());
        }

        Assert.Contains(
            "no type", Assert.Throws<ArgumentException>(() => PretrainedNetwork.Module("No.Such, Type")).Message, StringComparison.Ordinal);
        Assert.Contains("not a class that derives",
            Assert.Throws<ArgumentException>(() => PretrainedNetwork.Module("System.String")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TorchScript_is_a_base_too_and_can_be_trained()
    {
        File.WriteAllBytes(_folder["base.pt"], TorchScriptFile.Linear(4, 6));
        var rows = Enumerable.Range(0, 12).Select(i => new Four { Values = [i, i / 2f, 3, -i], Label = [i / 12f] });
        var data = _ml.Data.LoadFromEnumerable(rows);
        TorchModuleOptions Options(BaseFreezing freezing) => new()
        {
            Pretrained = PretrainedNetwork.TorchScript(_folder["base.pt"]), NewLayers = [Layer.Dense(1)],
            Training = new() { NumberOfEpochs = 2 }, Freezing = freezing,
        };

        using var frozen = _ml.Transforms.FineTuneTorchModule("Out", "Values", "Label", Options(BaseFreezing.All)).Fit(data);
        using var trained = _ml.Transforms.FineTuneTorchModule("Out", "Values", "Label", Options(BaseFreezing.Matching("bias"))).Fit(data);

        Assert.Equal(["weight", "bias"], frozen.Network.Pretrained!.Parameters.Select(p => p.Key));
        var weights = TorchScriptFile.Weights(4, 6);
        Assert.Equal(weights, frozen.Network.Pretrained.Parameters[0].Value.data<float>().ToArray());
        Assert.NotEqual(weights, trained.Network.Pretrained!.Parameters[0].Value.data<float>().ToArray());
        File.WriteAllBytes(_folder["base.pt"], [1, 2, 3]);
        Assert.Contains("not a TorchScript file", Assert.Throws<InvalidDataException>(() =>
            _ml.Transforms.FineTuneTorchModule("Out", "Values", "Label", Options(BaseFreezing.All)).Fit(data)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("features")]
    [InlineData("layers")]
    public void The_exported_network_gives_in_ONNX_Runtime_what_Transform_gives(string kind)
    {
        TestNetworks.PretrainToOnnx(_folder["base.onnx"], epochs: 1);
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(12));
        using var model = Fit(data, o =>
        {
            o.InputScaling = ImageScaling.ImageNet;
            o.Pretrained = kind switch
            {
                "none" => null,
                "features" => PretrainedNetwork.OnnxFeatures(_folder["base.onnx"], TestNetworks.Features),
                _ => PretrainedNetwork.OnnxLayers(_folder["base.onnx"], TestNetworks.Features),
            };
            o.Freezing = kind == "layers" ? BaseFreezing.None : BaseFreezing.All;
            if (kind == "none")
                o.NewLayers = [Layer.Convolution(4, 3, Activation.Silu), Layer.GlobalAveragePooling(), Layer.Dense(3, Activation.Sigmoid)];
        });
        _ml.Generation.ExportToOnnx(model, _folder["whole.onnx"]);
        var expected = model.Transform(data).GetColumn<float[]>("Colour").ToList(); // before ExtractPixels, which disposes the images

        // The column of pixels has the name of the graph's input.
        var applied = _ml.Transforms.ExtractPixels("Pixels", "Image", interleavePixelColors: false)
            .Append(_ml.Transforms.DropColumns("Image")).Append(_ml.Transforms.CopyColumns("Image", "Pixels"))
            .Append(_ml.Transforms.ApplyOnnxModel("Colour", "Image", _folder["whole.onnx"])).Fit(data).Transform(data);

        AssertClose(expected, [.. applied.GetColumn<float[]>("Colour")], 1e-4f);
    }

    [Fact]
    public void What_does_not_fit_is_refused_before_a_row_is_read()
    {
        TestNetworks.PretrainToOnnx(_folder["base.onnx"], epochs: 1);
        var data = new CountingDataView(_ml.Data.LoadFromEnumerable(Drawings.Make(4)));
        Refused("Could not find input column 'Missing'", "Missing", "Label");
        Refused("Could not find label column 'Missing'", "Image", "Missing");
        Refused("Schema mismatch for input column 'Class': expected a vector of Single with a known size", "Class", "Label");
        Refused("Schema mismatch for label column 'Class'", "Image", "Class");
        Refused("Schema mismatch for input column 'IsRed'", "IsRed", "Label");
        Refused("label column 'Place': the network gives [3], but the column has a vector of 2 values", "Image", "Place");
        Refused("label column 'Red': the network gives [3], but the column has a single value", "Image", "Red");
        Refused("input column 'Label': the network takes [3, 16, 16], but the column has a vector of 3 values", "Label", "Place");
        Refused("InputShape is [3, 8, 8], but the column has images of 16 rows and 16 columns. Put ResizeImages", "Image", "Label",
            o => o.InputShape = [3, 8, 8]);
        Refused("layer 0 (Convolution) expects [channels, height, width], but the network of", "Image", "Label",
            o => o.NewLayers = [Layer.Convolution(3, 3)]);
        Refused("gives [256]", "Image", "Label", o => o.NewLayers = [Layer.Convolution(3, 3)]);
        Refused(
            "has no value 'nothing'", "Image", "Label", o => o.Pretrained = PretrainedNetwork.OnnxLayers(_folder["base.onnx"], "nothing"));
        Refused("matches no parameter", "Image", "Label", o => o.Freezing = BaseFreezing.Matching("nothing.*"));
        Refused("has no parameters that can be trained", "Image", "Label", o => (o.Pretrained, o.Freezing) =
            (PretrainedNetwork.OnnxFeatures(_folder["base.onnx"], TestNetworks.Features), BaseFreezing.None));
        Refused(nameof(ModuleTrainingOptions.NumberOfEpochs), "Image", "Label", o => o.Training = new() { NumberOfEpochs = 0 });
        Refused(
            nameof(ModuleTrainingOptions.EarlyStoppingPatience), "Image", "Label", o => o.Training = new() { EarlyStoppingPatience = 1 });
        Refused(nameof(ImageScaling.Mean), "Image", "Label", o => o.InputScaling = new() { Mean = [1, 2] });
        Refused("There is nothing to train", "Image", "Place",
            o => (o.NewLayers, o.Pretrained) = ([], PretrainedNetwork.OnnxLayers(_folder["base.onnx"])));
        var bytes = File.ReadAllBytes(_folder["base.onnx"]);
        "MaxFool"u8.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf("MaxPool"u8)));
        File.WriteAllBytes(_folder["odd.onnx"], bytes);
        Refused("node 5 'maxpool' (MaxFool)", "Image", "Label", o => o.Pretrained = PretrainedNetwork.OnnxLayers(_folder["odd.onnx"]));
        Refused("'MaxFool'", "Image", "Label", o => o.Pretrained = PretrainedNetwork.OnnxLayers(_folder["odd.onnx"]));
        Assert.Equal(0, data.RowsRead);

        void Refused(string message, string input, string label, Action<TorchModuleOptions>? change = null)
        {
            var exception = Assert.ThrowsAny<Exception>(() =>
            {
                var options = new TorchModuleOptions
                {
                    Pretrained = PretrainedNetwork.OnnxLayers(_folder["base.onnx"], TestNetworks.Features), NewLayers = [Layer.Dense(3)],
                };
                change?.Invoke(options);
                _ml.Transforms.FineTuneTorchModule("Out", input, label, options).Fit(data).Dispose();
            });
            Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_row_that_cannot_be_used_is_told_by_number_and_column()
    {
        var drawings = Drawings.Make(4);
        drawings[2].Label[1] = float.NaN;
        Assert.Contains("Row 2 (from 0), column 'Label' has the value NaN", Error(), StringComparison.Ordinal);
        drawings[2].Label[1] = 0;
        drawings[1].Image = null;
        Assert.Contains("Row 1 (from 0), column 'Image': the image is missing", Error(), StringComparison.Ordinal);
        using var small = MLImage.CreateFromPixels(2, 3, MLPixelFormat.Rgba32, new byte[24]);
        drawings[1].Image = small;
        Assert.Contains("the image has 3 rows and 2 columns; 16 and 16 are expected", Error(), StringComparison.Ordinal);

        string Error() => Assert.Throws<InvalidOperationException>(() => Fit(_ml.Data.LoadFromEnumerable(drawings))).Message;
    }

    [Fact]
    public void The_schema_is_foretold()
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(4));
        var estimator = _ml.Transforms.FineTuneTorchModule(
            "Out", "Image", "Label", new TorchModuleOptions { NewLayers = [Layer.Flatten(), Layer.Dense(3)] });

        var shape = estimator.GetOutputSchema(SchemaShape.Create(data.Schema));

        var column = Assert.Single(shape, c => c.Name == "Out");
        Assert.Equal((SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single), (column.Kind, column.ItemType));
        using var model = estimator.Fit(data);
        Assert.Equal(
            SchemaShape.Create(model.GetOutputSchema(data.Schema)).Select(c => (c.Name, c.Kind)), shape.Select(c => (c.Name, c.Kind)));
        var vectors = _ml.Data.LoadFromEnumerable([new Pixels { Label = [1, 2, 3] }]);
        Assert.Contains("Could not find input column 'Image'", Assert.Throws<ArgumentException>(() => model.Transform(vectors)).Message,
            StringComparison.Ordinal);
        var renamed = _ml.Transforms.CopyColumns("Image", "Values").Fit(vectors).Transform(vectors);
        Assert.Contains(
            "expected an image", Assert.Throws<ArgumentException>(() => model.Transform(renamed)).Message, StringComparison.Ordinal);
    }

    private TorchModuleTransformer Fit(IDataView data, Action<TorchModuleOptions>? change = null)
    {
        var options =
            new TorchModuleOptions { NewLayers = [Layer.Flatten(), .. TestNetworks.NewLayers], Training = new() { NumberOfEpochs = 1 } };
        change?.Invoke(options);
        return _ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", options).Fit(data);
    }

    private TorchModuleTransformer Fit(IDataView data, string label, TrainingLoss loss, Layer last, bool keys = false)
    {
        var options = new TorchModuleOptions
        {
            NewLayers = [Layer.Flatten(), Layer.Dense(32, Activation.Relu), last],
            Training = new() { Loss = loss, NumberOfEpochs = 15, BatchSize = 8 },
        };
        if (keys)
            data = _ml.Transforms.Conversion.MapValueToKey(label).Fit(data).Transform(data);
        return _ml.Transforms.FineTuneTorchModule("Colour", "Image", label, options).Fit(data);
    }

    private static void AssertClose(List<float[]> expected, List<float[]> found, float tolerance = 1e-5f)
    {
        Assert.Equal(expected.Count, found.Count);
        Assert.All(
            expected.Zip(found), row => Assert.All(row.First.Zip(row.Second), pair => Assert.Equal(pair.First, pair.Second, tolerance)));
        Assert.True(expected[0].Length > 0 && !expected[0].SequenceEqual(expected[1]));
    }

    private sealed class Recorder(List<EpochResult> results) : IProgress<EpochResult>
    {
        public void Report(EpochResult value) => results.Add(value);
    }

    private sealed class Coloured
    {
        [VectorType(3)]
        public float[]? Colour { get; set; }
    }

    private sealed class DrawingWithColour
    {
        [ImageType(16, 16)]
        public MLImage? Image { get; set; }

        [VectorType(3)]
        public float[]? Colour { get; set; }
    }

    private sealed class Pixels
    {
        [VectorType(768)]
        public float[] Values { get; set; } = new float[768];

        [VectorType(3)]
        public float[] Label { get; set; } = [];
    }

    private sealed class Four
    {
        [VectorType(4)]
        public float[] Values { get; set; } = [];

        [VectorType(1)]
        public float[] Label { get; set; } = [];
    }
}
