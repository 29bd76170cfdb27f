using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Schema;
using MLTransfer.Onnx.Tests.Reading;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.Adversarial;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Onnx.Tests;

[Collection(ProcessWideState.Name)]
public sealed class OnnxFeatureExtractorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(null)] // the graph's output: [N, 5]
    [InlineData("pooled")] // [N, 5, 1, 1]
    public void Features_equal_those_that_TorchSharp_computes_with_the_same_weights(string? outputName)
    {
        using var scope = NewDisposeScope();
        var graph = Write(Network(null, 3, null, null));
        var images = Images(4, 12);

        using var extractor = new OnnxFeatureExtractor(_folder["network.onnx"], outputName);

        AssertClose(Expected(graph, images), extractor.Extract(images));
    }

    [Theory]
    [InlineData(null, 8L, 8L, null)] // the size is the file's
    [InlineData(1L, 8L, 8L, 8)] // image by image
    [InlineData(null, null, null, 8)]
    public void Images_are_resized_and_brought_to_the_networks_range(long? batch, long? height, long? width, int? resolution)
    {
        using var scope = NewDisposeScope();
        var graph = Write(Network(batch, 3, height, width));
        var images = Images(3, 12) * 1.5; // beyond black and white
        var pixels = (F.interpolate(images.clamp(-1, 1), [8, 8], mode: InterpolationMode.Bilinear, align_corners: false) + 1) * 127.5;

        using var extractor = new OnnxFeatureExtractor(_folder["network.onnx"], resolution: resolution, black: 0, white: 255);

        AssertClose(Expected(graph, pixels), extractor.Extract(images), 1e-3);
    }

    [Fact]
    public void Distances_are_those_over_the_features_of_a_delegate()
    {
        using var scope = NewDisposeScope();
        var graph = Write(Network(null, 3, 16, 16));
        manual_seed(4);
        using var model =
            StyleGan2Model.Create(StyleGan2Model.Configure(16, channelBase: 128, channelMaximum: 16, latentWidth: 12, mappingLayers: 2));
        using var real = new ImageSet(((Images(9, 16) + 1) * 127.5).to(ScalarType.Byte));
        using var extractor = new OnnxFeatureExtractor(_folder["network.onnx"]);

        var expected = GeneratorEvaluator.Evaluate(
            model.Generator, real, new DelegateFeatureExtractor(images => Expected(graph, images)), count: 20, batchSize: 8);
        var found = GeneratorEvaluator.Evaluate(model.Generator, real, extractor, count: 20, batchSize: 8);

        Assert.True(expected.FrechetDistance > 0.01);
        Assert.Equal(expected.FrechetDistance, found.FrechetDistance, 1e-4 * expected.FrechetDistance);
        Assert.Equal(expected.KernelDistance, found.KernelDistance, 1e-4 * Math.Abs(expected.KernelDistance));
    }

    [Fact]
    public void A_file_that_does_not_fit_is_refused_with_its_input_and_shape()
    {
        AssertRefused<NotSupportedException>(
            new TestGraph(17, null, 12).Node("Relu", "x", "y"), [], "'x'", "[batch, 12]", "[batch, channels, height, width]");
        AssertRefused<NotSupportedException>(Network(8, 3, null, null), [], "'x'", "[8, 3, ?, ?]", "symbolic batch");
        AssertRefused<NotSupportedException>(Network(null, 3, 1L << 40, 16), [], "'x'", "1099511627776", "at most 8192");
        AssertRefused<ArgumentException>(Network(null, 3, 16, 16), [null, 32], "'x'", "[batch, 3, 16, 16]", "resolution is 32");
        AssertRefused<ArgumentException>(Network(null, 3, null, null), ["missing"], "'missing'", "'pooled'");
        AssertRefused<NotSupportedException>(new TestGraph(17, null, 3, null, null).Node("NoSuchOperator", "x", "y"), [], "NoSuchOperator");
        Assert.Contains("absent.onnx", Assert.Throws<FileNotFoundException>(() => new OnnxFeatureExtractor(_folder["absent.onnx"])).Message,
            StringComparison.Ordinal);
        File.WriteAllText(_folder["text.onnx"], "not a network");
        Assert.Contains("text.onnx", Assert.Throws<InvalidDataException>(() => new OnnxFeatureExtractor(_folder["text.onnx"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_points_to_another_one_is_refused()
    {
        var graph = Network(null, 3, null, null);
        graph.Model.Graph.Initializer[0].DataLocation = TensorProto.Types.DataLocation.External;

        AssertRefused<NotSupportedException>(graph, [], "'w'", "another file");
    }

    [Fact]
    public void Images_and_features_of_a_wrong_shape_are_refused_with_both_shapes()
    {
        using var scope = NewDisposeScope();
        Write(Network(null, 3, null, null));
        using var extractor = new OnnxFeatureExtractor(_folder["network.onnx"]);
        using var maps = new OnnxFeatureExtractor(_folder["network.onnx"], "maps");

        var channels = Assert.Throws<ArgumentException>(() => extractor.Extract(zeros(2, 1, 8, 8))).Message;
        var rank = Assert.Throws<ArgumentException>(() => extractor.Extract(zeros(2, 3, 8))).Message;
        var output = Assert.Throws<NotSupportedException>(() => maps.Extract(zeros(2, 3, 8, 8))).Message;
        var tooSmall = Assert.Throws<InvalidOperationException>(() => extractor.Extract(zeros(2, 3, 1, 1))).Message;

        AssertNames(channels, "network.onnx", "'x'", "[batch, 3, ?, ?]", "[2, 1, 8, 8]");
        AssertNames(rank, "network.onnx", "'x'", "[2, 3, 8]");
        AssertNames(output, "network.onnx", "'maps'", "[2, 5, 6, 6]", "[2, width]");
        AssertNames(tooSmall, "network.onnx", "'x'", "[2, 3, 1, 1]");
    }

    [Fact]
    public void An_extractor_that_does_not_fit_is_refused_when_the_trainer_is_made()
    {
        Write(Network(null, 1, null, null));
        using var extractor = new OnnxFeatureExtractor(_folder["network.onnx"]);
        manual_seed(4);
        using var model =
            StyleGan2Model.Create(StyleGan2Model.Configure(16, channelBase: 128, channelMaximum: 16, latentWidth: 12, mappingLayers: 2));
        using var real = new ImageSet(zeros([4, 3, 16, 16], ScalarType.Byte));

        var message =
            Assert.Throws<ArgumentException>(() => new StyleGan2Trainer(model, new AdversarialTrainingOptions(), real, extractor)).Message;

        AssertNames(message, "network.onnx", "[batch, 1, ?, ?]", "[2, 3, 16, 16]");
    }

    [Fact]
    public void A_damaged_file_is_refused_with_its_name_or_computes_features()
    {
        using var scope = NewDisposeScope();
        var bytes = Network(null, 3, 8, 8).ToBytes();
        var random = new Random(3);
        var images = Images(2, 8);
        var refused = 0;
        for (var round = 0; round < 150; round++)
        {
            var changed = round % 3 == 0 ? bytes[..random.Next(bytes.Length)] : (byte[])bytes.Clone();
            if (round % 3 > 0)
                changed[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(_folder["network.onnx"], changed);
            try
            {
                using var extractor = new OnnxFeatureExtractor(_folder["network.onnx"]);
                Assert.Equal(2, extractor.Extract(images).shape[0]);
            }
            catch (Exception exception) when (exception is InvalidDataException or NotSupportedException or ArgumentException
                or InvalidOperationException)
            {
                Assert.Contains("network.onnx", exception.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.InRange(refused, 50, 149);
    }

    private static TestGraph Network(long? batch, long? channels, long? height, long? width) =>
        new TestGraph(17, batch, channels, height, width)
        .Weight("w", 5, channels ?? 3, 3, 3).Weight("b", 5)
        .Node("Conv", "x w b", "maps").Node("Relu", "maps", "active").Node("GlobalAveragePool", "active", "pooled")
        .Node("Flatten", "pooled", "y");

    /// <summary>[N, 3, size, size] from -1 to 1.</summary>
    private static Tensor Images(int count, int size) =>
        (arange(count * 3 * size * size, ScalarType.Float32) * 0.37f).sin().view(count, 3, size, size);

    private static Tensor Expected(TestGraph graph, Tensor images)
    {
        using var scope = NewDisposeScope();
        var weights = graph.Model.Graph.Initializer.ToDictionary(tensor => tensor.Name, tensor => OnnxTensor.Read(tensor, tensor.Name));
        return F.relu(F.conv2d(images, weights["w"], weights["b"])).mean([2, 3]).MoveToOuterDisposeScope();
    }

    private static void AssertClose(Tensor expected, Tensor found, double tolerance = 1e-5)
    {
        Assert.Equal(expected.shape, found.shape);
        Assert.InRange((expected - found).abs().max().item<float>(), 0, tolerance);
    }

    private static void AssertNames(string message, params string[] parts) =>
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));

    private void AssertRefused<T>(TestGraph graph, object?[] arguments, params string[] parts)
        where T : Exception
    {
        Write(graph);
        var message = Assert.Throws<T>(() => new OnnxFeatureExtractor(
            _folder["network.onnx"], (string?)arguments.ElementAtOrDefault(0), (int?)arguments.ElementAtOrDefault(1))).Message;
        AssertNames(message, ["network.onnx", .. parts]);
    }

    private TestGraph Write(TestGraph graph)
    {
        File.WriteAllBytes(_folder["network.onnx"], graph.ToBytes());
        return graph;
    }
}
