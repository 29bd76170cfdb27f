using System.Runtime.InteropServices;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tests.Checkpoints;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Described;

/// <summary>Layers with the weights of TorchSharp's own <c>Sequential</c>, whose options are those of PyTorch.</summary>
[Collection(ProcessWideState.Name)]
public sealed class SequentialCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("generator", "main", "safetensors")]
    [InlineData("generator", null, "pt")]
    [InlineData("discriminator", "net.main", "bin")]
    [InlineData("LeNet", null, "safetensors")]
    [InlineData("autoencoder", null, "pth")]
    [InlineData("every option", "features", "safetensors")]
    public void A_Sequential_is_read_as_it_is_and_computes_learns_and_gathers_the_same(string name, string? prefix, string extension)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(11);
        var (reference, layers, shape) = Network(name);
        using (no_grad())
        {
            foreach (var (_, parameter) in reference.named_parameters())
                parameter.normal_(0.1, 0.4, random);
        }

        reference.train();
        reference.call(randn([8, .. shape], generator: random)); // statistics that are not those of the start
        var path = _folder["weights." + extension];
        Write(path, reference, prefix is null ? "" : prefix + ".");
        using var checkpoint = Checkpoint.OpenFile(path);
        using var loaded = LayerSequence.Load(layers, shape, checkpoint, prefix: prefix);

        var input = randn([5, .. shape], generator: random);
        foreach (var isTraining in (bool[])[false, true, false]) // the last with what the second gathered
        {
            reference.train(isTraining);
            loaded.train(isTraining);
            reference.zero_grad();
            loaded.zero_grad();
            var (expected, found) = (input, input);
            foreach (var (index, layer) in loaded.Layers.Index())
            {
                expected = ((nn.Module<Tensor, Tensor>)reference.children().ElementAt(index)).call(expected);
                found = layer.forward(found);
                var difference = (found - expected).abs().max().item<float>() / expected.abs().max().item<float>();
                Assert.True(difference < 1e-5, $"layer {index} ({layer.Layer.GetType().Name}), training {isTraining}: {difference}");
            }

            Assert.Equal(expected.shape[1..], loaded.OutputShape);
            expected.square().sum().backward();
            found.square().sum().backward();
            foreach (var (parameter, other) in reference.parameters().Zip(loaded.parameters()))
                Assert.True(other.grad!.allclose(parameter.grad!, 1e-3, 1e-4));
        }
    }

    [Fact]
    public void Parts_of_a_network_have_names_of_their_own_and_what_is_not_described_stays_out()
    {
        using var scope = NewDisposeScope();
        var (features, classifier) = (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), nn.Sequential(nn.Dropout(), nn.Linear(64, 5)));
        var path = _folder["weights.safetensors"];
        SafetensorsWriter.Write(path, Named(features, "features.").Concat(Named(classifier, "classifier.")));
        using var file = Checkpoint.OpenFile(path);
        var part = Layer.Part("features", Layer.Convolution(4, 3, padding: 0), Layer.Activate(Activation.Relu));
        var input = randn(2, 3, 6, 6);

        using var whole = LayerSequence.Load(
            [.. part, Layer.Flatten(), .. Layer.Part("classifier", Layer.Dropout(0.5), Layer.Dense(5))], [3, 6, 6], file);
        using var alone = LayerSequence.Load(part, [3, 6, 6], file);

        whole.eval();
        classifier.eval();
        Assert.True(whole.forward(input).allclose(classifier.call(features.call(input).flatten(1))));
        Assert.True(alone.forward(input).allclose(features.call(input)));
        Assert.Equal(
            ["features.0.weight", "features.0.bias", "classifier.1.weight", "classifier.1.bias"],
            whole.named_parameters().Select(parameter => parameter.name));
    }

    [Fact]
    public void What_does_not_fit_is_told_with_all_names_and_shapes()
    {
        using var scope = NewDisposeScope();
        var path = _folder["weights.safetensors"];
        SafetensorsWriter.Write(path, Named(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1, bias: false)), ""));

        var message = Refused(
            Layer.Convolution(5, 3, padding: 0, hasBias: false), Layer.Activate(Activation.Relu), Layer.Convolution(2, 1));

        Assert.Contains($"{path} does not fit the layers.", message, StringComparison.Ordinal);
        Assert.Contains("Missing: no tensor '2.bias' [2] for layer 2 (Convolution).", message, StringComparison.Ordinal);
        Assert.Contains("Wrong: tensor '0.weight' has shape [4, 3, 3, 3]; layer 0 (Convolution) after [3, 6, 6] needs [5, 3, 3, 3]; "
            + "tensor '2.weight' has shape [2, 4, 1, 1]; layer 2 (Convolution) after [5, 4, 4] needs [2, 5, 1, 1].", message,
            StringComparison.Ordinal);
        Assert.Contains("Left over: ", message, StringComparison.Ordinal);
        Assert.Contains("'0.bias' [4]", message, StringComparison.Ordinal);
        Assert.Contains("'1.running_var' [4]", message, StringComparison.Ordinal);

        // Nothing is missing, but the network would compute something else.
        var forgotten = Refused(
            Layer.Convolution(4, 3, padding: 0, hasBias: false), Layer.BatchNormalization(), Layer.Convolution(2, 1, hasBias: false));
        Assert.Contains(
            "Left over: '0.bias' [4], of which layer 0 (Convolution) has no use.", forgotten, StringComparison.Ordinal);
        Assert.DoesNotContain("num_batches_tracked", forgotten, StringComparison.Ordinal);

        SafetensorsWriter.Write(path, Named(nn.Sequential(nn.Conv2d(3, 4, 3)), "net.main."));
        Assert.Contains("give 'net.main'", Refused(Layer.Convolution(4, 3, padding: 0)), StringComparison.Ordinal);

        string Refused(params Layer[] layers)
        {
            using var file = Checkpoint.OpenFile(path);
            return Assert.Throws<InvalidDataException>(() => LayerSequence.Load(layers, [3, 6, 6], file)).Message;
        }
    }

    [Fact]
    public void Descriptions_of_every_option_are_read_back_and_say_nothing_that_goes_without_saying()
    {
        foreach (var name in (string[])["generator", "discriminator", "LeNet", "autoencoder", "every option"])
        {
            var (reference, layers, _) = Network(name);
            reference.Dispose();
            Assert.Equal(layers, LayerJson.Read(LayerJson.Write(layers)));
        }

        Assert.Equal(
            """[{"type":"convolution","Filters":8,"KernelSize":[3,5],"Activation":"None","Stride":1,"Padding":[1,2],"Name":null}]""",
            string.Concat(LayerJson.Write([Layer.Convolution(8, (3, 5))]).Where(character => !char.IsWhiteSpace(character))));
        foreach (var size in (string[])["[3]", "[1,2,3]", "\"3\"", "null", "1.5"])
            Assert.Throws<InvalidDataException>(() => LayerJson.Read($$"""[{"type":"maximum_pooling","Size":{{size}}}]"""));
    }

    private static (Sequential Reference, Layer[] Layers, long[] InputShape) Network(string name) => name switch
    {
        "generator" => (
            nn.Sequential(
                nn.ConvTranspose2d(8, 16, 4, bias: false), nn.BatchNorm2d(16), nn.ReLU(),
                nn.ConvTranspose2d(16, 8, 4, stride: 2, padding: 1, bias: false), nn.BatchNorm2d(8), nn.ReLU(),
                nn.ConvTranspose2d(8, 3, 4, stride: 2, padding: 1, bias: false), nn.Tanh()),
            [
                Layer.TransposedConvolution(16, 4, hasBias: false), Layer.BatchNormalization(), Layer.Activate(Activation.Relu),
                Layer.TransposedConvolution(8, 4, stride: 2, padding: 1, hasBias: false), Layer.BatchNormalization(),
                Layer.Activate(Activation.Relu),
                Layer.TransposedConvolution(3, 4, stride: 2, padding: 1, hasBias: false), Layer.Activate(Activation.Tanh),
            ],
            [8, 1, 1]),
        "discriminator" => (
            nn.Sequential(
                nn.Conv2d(3, 8, 4, stride: 2, padding: 1, bias: false), nn.LeakyReLU(0.2),
                nn.Conv2d(8, 16, 4, stride: 2, padding: 1, bias: false), nn.BatchNorm2d(16, 1e-3, 0.3), nn.LeakyReLU(0.2),
                nn.Conv2d(16, 1, 4, bias: false), nn.Sigmoid(), nn.Flatten()),
            [
                Layer.Convolution(8, 4, stride: 2, padding: 1, hasBias: false), Layer.LeakyRelu(0.2),
                Layer.Convolution(16, 4, stride: 2, padding: 1, hasBias: false), Layer.BatchNormalization(epsilon: 1e-3, momentum: 0.3),
                Layer.LeakyRelu(0.2),
                Layer.Convolution(1, 4, padding: 0, hasBias: false), Layer.Activate(Activation.Sigmoid), Layer.Flatten(),
            ],
            [3, 16, 16]),
        "LeNet" => (
            nn.Sequential(
                nn.Conv2d(1, 6, 5, padding: 2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
                nn.Linear(64, 20), nn.Tanh(), nn.Linear(20, 10), nn.Softmax(1)),
            [
                Layer.Convolution(6, 5), Layer.Activate(Activation.Tanh), Layer.AveragePooling(), Layer.Convolution(16, 5, padding: 0),
                Layer.Activate(Activation.Tanh), Layer.AveragePooling(), Layer.Flatten(),
                Layer.Dense(20), Layer.Activate(Activation.Tanh), Layer.Dense(10), Layer.Activate(Activation.Softmax),
            ],
            [1, 16, 16]),
        "autoencoder" => (
            nn.Sequential(
                nn.Conv2d(1, 8, 3, stride: 2, padding: 1), nn.ReLU(), nn.Conv2d(8, 4, 3, stride: 2, padding: 1), nn.ReLU(),
                nn.ConvTranspose2d(4, 8, 3, stride: 2, padding: 1, output_padding: 1), nn.ReLU(),
                nn.ConvTranspose2d(8, 1, 3, stride: 2, padding: 1, output_padding: 1), nn.Sigmoid()),
            [
                Layer.Convolution(8, 3, stride: 2), Layer.Activate(Activation.Relu), Layer.Convolution(4, 3, stride: 2),
                Layer.Activate(Activation.Relu), Layer.TransposedConvolution(8, 3, stride: 2, padding: 1, outputPadding: 1),
                Layer.Activate(Activation.Relu), Layer.TransposedConvolution(1, 3, stride: 2, padding: 1, outputPadding: 1),
                Layer.Activate(Activation.Sigmoid),
            ],
            [1, 12, 12]),
        // TorchSharp's module takes the output padding of the height for the width too: another one is compared with ONNX Runtime.
        _ => (
            nn.Sequential(
                nn.Conv2d(4, 8, (3, 5), stride: (1, 2), padding: (1, 0), dilation: (2, 1), groups: 2),
                nn.MaxPool2d((3, 2), (2, 1), (1, 0)),
                nn.ConvTranspose2d(8, 6, (3, 4), stride: (2, 3), padding: (1, 0), output_padding: (1, 1), groups: 2),
                nn.AvgPool2d((2, 3), (1, 2), (1, 1), count_include_pad: false), nn.BatchNorm2d(6, affine: false),
                nn.AdaptiveAvgPool2d((5, 4)), nn.LayerNorm([6, 5, 4], 1e-3), nn.ConvTranspose2d(6, 2, (2, 3), dilation: (2, 3)),
                nn.Upsample(scale_factor: [2, 3], mode: UpsampleMode.Nearest), nn.Flatten(), nn.Linear(840, 7, hasBias: false),
                nn.BatchNorm1d(7, 1e-4), nn.LayerNorm([7], 1e-2, elementwise_affine: false), nn.SiLU()),
            [
                Layer.Convolution(8, (3, 5), stride: (1, 2), padding: (1, 0), dilation: (2, 1), groups: 2),
                Layer.MaximumPooling((3, 2), (2, 1), (1, 0)),
                Layer.TransposedConvolution(6, (3, 4), stride: (2, 3), padding: (1, 0), outputPadding: 1, groups: 2),
                Layer.AveragePooling((2, 3), (1, 2), (1, 1), countsPadding: false), Layer.BatchNormalization(hasWeights: false),
                Layer.AdaptiveAveragePooling((5, 4)), Layer.LayerNormalization(1e-3, dimensions: 3),
                Layer.TransposedConvolution(2, (2, 3), dilation: (2, 3)),
                Layer.Upsampling((2, 3)), Layer.Flatten(), Layer.Dense(7, hasBias: false),
                Layer.BatchNormalization(epsilon: 1e-4), Layer.LayerNormalization(1e-2, hasWeights: false), Layer.Activate(Activation.Silu),
            ],
            [4, 9, 13]),
    };

    private static IEnumerable<KeyValuePair<string, Tensor>> Named(nn.Module module, string prefix) =>
        module.state_dict().Select(entry => KeyValuePair.Create(prefix + entry.Key, entry.Value));

    /// <summary>Writes a safetensors file, or what <c>torch.save</c> writes.</summary>
    private static void Write(string path, nn.Module module, string prefix)
    {
        var tensors = Named(module, prefix).ToList();
        if (Path.GetExtension(path) == ".safetensors")
        {
            SafetensorsWriter.Write(path, tensors);
            return;
        }

        var pickle = new PickleBytes().Protocol().Op('}');
        List<(string Name, byte[] Data)> entries = [];
        foreach (var (index, (name, tensor)) in tensors.Index())
        {
            var values = tensor.detach().contiguous();
            var strides = values.shape.Select((_, axis) => values.shape[(axis + 1)..].Aggregate(1L, (product, extent) => product * extent));
            pickle.Text(name).Tensor(
                values.dtype == ScalarType.Int64 ? "LongStorage" : "FloatStorage", $"{index}", values.numel(), 0, values.shape,
                [.. strides]).Op('s');
            entries.Add(($"archive/data/{index}", values.dtype == ScalarType.Int64
                ? MemoryMarshal.AsBytes(NativeTensor.AsSpan<long>(values)).ToArray()
                : MemoryMarshal.AsBytes(NativeTensor.AsSpan<float>(values)).ToArray()));
        }

        File.WriteAllBytes(path, PyTorchZip.Stored([("archive/data.pkl", pickle.Op('.').ToArray()), .. entries]));
    }
}
