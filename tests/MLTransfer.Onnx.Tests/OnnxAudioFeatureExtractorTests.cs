using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Tests.Reading;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests;

[Collection(ProcessWideState.Name)]
public sealed class OnnxAudioFeatureExtractorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1L)] // window by window
    [InlineData(null)]
    public void Features_are_those_of_the_windows_that_the_file_fixes(long? batch)
    {
        using var scope = NewDisposeScope();
        var graph = Write(new TestGraph(17, batch, 4).Weight("w", 4, 3).Node("MatMul", "x w", "inner").Node("Relu", "inner", "y"));
        var weight = OnnxTensor.Read(graph.Model.Graph.Initializer.Single(), "w");
        var sound = (arange(11, ScalarType.Float32) * 0.7).sin().unsqueeze(0);

        using var extractor = new OnnxAudioFeatureExtractor(_folder["network.onnx"], 8000);
        using var inner = new OnnxAudioFeatureExtractor(_folder["network.onnx"], 8000, "inner");

        var windows = sound.narrow(1, 0, 8).view(2, 4);
        Assert.True(extractor.Extract(sound).allclose(nn.functional.relu(windows.matmul(weight))));
        Assert.True(inner.Extract(sound).allclose(windows.matmul(weight)));
        Assert.Equal((8000, 1), (extractor.SampleRate, extractor.Channels));
    }

    [Fact]
    public void Channels_are_the_file_s_and_parts_are_rows()
    {
        using var scope = NewDisposeScope();
        Write(new TestGraph(17, null, 2, null).Node("Relu", "x", "y"));

        using var extractor = new OnnxAudioFeatureExtractor(_folder["network.onnx"], 8000);

        Assert.Equal(2, extractor.Channels);
        Assert.Equal([2L, 5], extractor.Extract(ones(2, 5)).shape);
    }

    [Fact]
    public void Networks_of_other_things_are_refused_by_the_file_s_name()
    {
        Write(new TestGraph(17, null, 3, 8, 8).Node("Relu", "x", "y"));
        Assert.Contains("network.onnx", Assert.Throws<NotSupportedException>(
            () => new OnnxAudioFeatureExtractor(_folder["network.onnx"], 8000)).Message);
        Write(new TestGraph(17, 5, 8).Node("Relu", "x", "y"));
        Assert.Contains("batch of 1", Assert.Throws<NotSupportedException>(
            () => new OnnxAudioFeatureExtractor(_folder["network.onnx"], 8000)).Message);
        Assert.Throws<FileNotFoundException>(() => new OnnxAudioFeatureExtractor(_folder["absent.onnx"], 8000));
    }

    private TestGraph Write(TestGraph graph)
    {
        File.WriteAllBytes(_folder["network.onnx"], graph.ToBytes());
        return graph;
    }
}
