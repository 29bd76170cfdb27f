using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Tests.Reading;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Networks.Described;
using Xunit;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Tests.Writing;

public sealed class NetworkExporterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_written_network_tells_how_near_it_is_to_the_engine()
    {
        var graph = new TestGraph(17, 1, 3, 4, 4).Weight("w", 2, 3, 1, 1).Node("Conv", "x w", "y").ToGraph();
        using var network = TransferNetwork.Create(new OnnxImport(graph), [Layer.Flatten(), Layer.Dense(3)], [3, 4, 4], seed: 1);

        var difference = NetworkExporter.Export(network, _folder["network.onnx"], "x", "y", [0.1f, 0.2f, 0.3f], [1, 2, 3]);

        Assert.InRange(difference, 0, 1e-4);
        Assert.Equal([_folder["network.onnx"]], Directory.GetFiles(Path.GetDirectoryName(_folder["network.onnx"])!));
    }

    [Fact]
    public void A_file_that_ONNX_Runtime_does_not_open_never_gets_its_name()
    {
        File.WriteAllText(_folder["model.onnx"], "old");
        var graph = new GraphBuilder();
        graph.Output("y", graph.Node("NoSuchOperator", [graph.Input("x", DataType.Float, 1)]), DataType.Float, 1);

        var message = Assert.Throws<InvalidOperationException>(
            () => OnnxFile.Write(_folder["model.onnx"], graph, "network", _ => 0)).Message;

        Assert.StartsWith("ONNX Runtime does not run the exported network:", message, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(_folder["model.onnx"]));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(_folder["model.onnx"])!));
    }

    [Fact]
    public void A_file_that_computes_something_else_never_gets_its_name()
    {
        // Draws other numbers in every run.
        var graph = new TestGraph(17, null, 4).Node("RandomNormalLike", "x", "noise").Node("Add", "x noise", "y").ToGraph();
        using var network = TransferNetwork.Create(new OnnxFeatures(graph), [Layer.Dense(3)], [4], seed: 1);

        var message = Assert.Throws<InvalidOperationException>(
            () => NetworkExporter.Export(network, _folder["network.onnx"], "x", "y", null, null)).Message;

        Assert.Contains("something else than the engine", message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["network.onnx"]));
    }
}
