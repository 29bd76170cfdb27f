using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Described;

[Collection(ProcessWideState.Name)]
public class LayerSequenceTests
{
    [Fact]
    public void Layers_compute_what_TorchSharps_modules_compute()
    {
        using var scope = NewDisposeScope();
        using var layers = LayerSequence.Create(
        [
            Layer.Convolution(4, 3, Activation.Relu, stride: 2), Layer.BatchNormalization(),
            Layer.TransposedConvolution(5, 4, Activation.Tanh, 2, 1),
            Layer.MaximumPooling(2), Layer.Flatten(), Layer.LayerNormalization(), Layer.Dense(6, Activation.Gelu),
            Layer.Dense(3, Activation.Softmax),
        ], [3, 8, 8]);
        using var reference = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride: 2, padding: 1), nn.ReLU(), nn.BatchNorm2d(4),
            nn.ConvTranspose2d(4, 5, 4, stride: 2, padding: 1), nn.Tanh(),
            nn.MaxPool2d(2), nn.Flatten(), nn.LayerNorm(80), nn.Linear(80, 6), nn.GELU(), nn.Linear(6, 3), nn.Softmax(-1));
        using (no_grad())
        {
            foreach (var (from, to) in layers.named_parameters().Zip(reference.named_parameters()))
                to.parameter.copy_(from.parameter);
        }

        var input = randn([4, 3, 8, 8], generator: new Generator(2));
        for (var pass = 0; pass < 2; pass++) // the second with the statistics that the first gathered
        {
            var expected = reference.call(input);
            Assert.True(layers.forward(input).allclose(expected, 1e-5, 1e-6));
            Assert.Equal(expected.shape[1..], layers.OutputShape);
        }

        layers.eval();
        reference.eval();
        Assert.True(layers.forward(input).allclose(reference.call(input), 1e-4, 1e-5));
    }

    [Fact]
    public void Every_layer_gives_the_shape_that_it_foretells()
    {
        using var scope = NewDisposeScope();
        Layer[] layers =
        [
            Layer.Convolution(4, 2, stride: 3, padding: 2), Layer.Upsampling(3), Layer.AveragePooling(2),
            Layer.TransposedConvolution(2, 3, stride: 2),
            Layer.Dropout(0.1), Layer.Activate(Activation.Silu), Layer.GlobalAveragePooling(), Layer.Reshape(1, 2),
            Layer.Dense(7, Activation.LeakyRelu),
        ];
        for (var count = 1; count <= layers.Length; count++)
        {
            using var sequence = LayerSequence.Create(layers[..count], [3, 9, 10]);
            Assert.Equal([2, .. sequence.OutputShape], sequence.forward(zeros(2, 3, 9, 10)).shape);
        }
    }

    [Fact]
    public void A_layer_that_does_not_fit_is_refused_with_both_shapes()
    {
        Refused(
            "layer 1 (Dense) expects a vector [n] or a sequence [length, n], but layer 0 (Convolution) gives [8, 6, 6]. Put Layer.Flatten",
            [Layer.Convolution(8, 3), Layer.Dense(3)], [3, 6, 6]);
        Refused("layer 0 (Convolution) expects [channels, height, width], but the base gives [512]", [Layer.Convolution(8, 3)], [512]);
        Refused("layer 0 (Reshape) expects as many elements as [3, 4] has, but the base gives [10]", [Layer.Reshape(3, 4)], [10]);
        Refused("layer 0 (MaximumPooling) expects at least 4 rows and columns, but the base gives [3, 2, 9]",
            [Layer.MaximumPooling(4)], [3, 2, 9]);
        Refused("layer 0 (Convolution) expects at least 5 rows and columns with its padding of 0",
            [Layer.Convolution(8, 5, padding: 0)], [3, 4, 9]);
    }

    [Fact]
    public void Sizes_out_of_range_are_refused_before_memory_is_taken()
    {
        Refused("Layer 0 (Dense): Units must be from 1", [Layer.Dense(0)], [4]);
        Refused("Layer 0 (Dense): Units must be from 1", [Layer.Dense(int.MaxValue)], [4]);
        Refused("Layer 0 (Dropout): Probability", [Layer.Dropout(1)], [4]);
        Refused("Layer 0 (Dense): The activation must be one of", [Layer.Dense(3, (Activation)99)], [4]);
        Refused("that layer 2 (Upsampling) gives is not usable",
            [Layer.Upsampling(1 << 10), Layer.Upsampling(1), Layer.Upsampling(1 << 20)], [1, 1, 1]);
        Refused("must be unique", [Layer.Dense(3) with { Name = "a" }, Layer.Dense(3) with { Name = "a" }], [4]);
        Refused("without an empty part", [Layer.Dense(3) with { Name = "a..b" }], [4]);
        Refused("lies in that of the layer 'a.b'",
            [Layer.Dense(3) with { Name = "a.b" }, Layer.Dense(3) with { Name = "a.b.c" }], [4]);
        Refused("Filters is 4, which is no multiple of Groups (3)", [Layer.Convolution(4, 3, groups: 3)], [6, 9, 9]);
        Refused("a multiple of its 4 groups as channels, but the base gives [6, 9, 9]",
            [Layer.Convolution(8, 3, groups: 4)], [6, 9, 9]);
        Refused("OutputPadding must be less than Stride (2)",
            [Layer.TransposedConvolution(4, 3, stride: 2, outputPadding: 2)], [6, 9, 9]);
        Refused("Padding must be at most half of Size (3)", [Layer.MaximumPooling(3, padding: 2)], [6, 9, 9]);
        Refused("at least 9 rows and columns", [Layer.Convolution(4, 3, padding: 0, dilation: (4, 1))], [6, 8, 3]);
        Refused("Epsilon must be", [Layer.BatchNormalization(epsilon: -1)], [4]);
        Refused("Momentum must be", [Layer.BatchNormalization(momentum: 1.5)], [4]);
    }

    [Fact]
    public void Descriptions_are_read_back_from_JSON()
    {
        Layer[] layers =
        [
            Layer.Convolution(8, 3, Activation.LeakyRelu, stride: 2), Layer.BatchNormalization(Activation.Relu),
            Layer.TransposedConvolution(6, 4),
            Layer.MaximumPooling(), Layer.AveragePooling(3), Layer.Upsampling(), Layer.Dropout(0.25), Layer.GlobalAveragePooling(),
            Layer.LayerNormalization(), Layer.Activate(Activation.Tanh), Layer.Flatten(),
            Layer.Dense(3, Activation.Sigmoid) with { Name = "head" },
        ];

        Assert.Equal(layers, LayerJson.Read(LayerJson.Write(layers)));
        var reshape = Assert.IsType<ReshapeLayer>(LayerJson.Read(LayerJson.Write([Layer.Reshape(2, 3)])).Single());
        Assert.Equal([2, 3], reshape.Shape);
        foreach (var json in (string[])["", "null", "[null]", "{}", """[{"type":"unheard"}]""", """[{"type":"dense"}]""",
            """[{"type":"dense","Units":"x"}]""",
            """[{"type":"reshape","Shape":null}]""", """[{"Units":3,"Activation":"Relu"}]"""])
            Assert.Throws<InvalidDataException>(() => LayerJson.Read(json));
    }

    [Fact]
    public void Stored_weights_are_found_by_the_layers_names()
    {
        using var folder = new TemporaryFolder();
        using var linear = nn.Linear(4, 3);
        var path = folder["weights.safetensors"];
        SafetensorsWriter.Write(path, [new("fc1.weight", linear.weight!), new("fc1.bias", linear.bias!)]);
        using var file = SafetensorsFile.Open(path);
        using var scope = NewDisposeScope();
        var input = randn([2, 4], generator: new Generator(2));

        using var layers = LayerSequence.Load([Layer.Flatten(), Layer.Dense(3) with { Name = "fc1" }], [4], file);

        Assert.True(layers.forward(input).allclose(linear.call(input)));
        var missing = Assert.Throws<InvalidDataException>(() => LayerSequence.Load([Layer.Dense(3)], [4], file)).Message;
        Assert.Contains("no tensor '0.weight'", missing, StringComparison.Ordinal);
        Assert.Contains("'fc1.weight'", missing, StringComparison.Ordinal);
        var shape =
            Assert.Throws<InvalidDataException>(() => LayerSequence.Load([Layer.Dense(3) with { Name = "fc1" }], [5], file)).Message;
        Assert.Contains("'fc1.weight' has shape [3, 4]", shape, StringComparison.Ordinal);
        Assert.Contains("needs [3, 5]", shape, StringComparison.Ordinal);
    }

    private static void Refused(string message, Layer[] layers, long[] inputShape) => Assert.Contains(
        message, Assert.ThrowsAny<ArgumentException>(() => LayerSequence.Create(layers, inputShape, "the base")).Message,
        StringComparison.Ordinal);
}
