using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Schema;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Reading;

public class NetworkToOnnxTests
{
    private static readonly Layer[] s_allLayers =
    [
        Layer.Convolution(8, 3, Activation.LeakyRelu, stride: 2), Layer.BatchNormalization(Activation.Relu), Layer.Upsampling(2),
        Layer.TransposedConvolution(6, 4, Activation.Silu, stride: 2, padding: 1), Layer.MaximumPooling(2), Layer.AveragePooling(2),
        Layer.Dropout(0.5), Layer.Convolution(4, 3, Activation.Gelu), Layer.Reshape(4, 16), Layer.LayerNormalization(),
            Layer.Dense(5, Activation.Tanh),
        Layer.Flatten(), Layer.Dense(12, Activation.Relu), Layer.Reshape(3, 2, 2), Layer.GlobalAveragePooling(),
            Layer.Activate(Activation.Sigmoid),
        Layer.Dense(4, Activation.Softmax),
    ];

    // Every option of a layer with another value than the usual one.
    private static readonly Layer[] s_allOptions =
    [
        Layer.Convolution(6, (3, 5), stride: (1, 2), padding: (2, 3), dilation: (2, 1), groups: 3, hasBias: false),
        Layer.LeakyRelu(0.2), Layer.BatchNormalization(epsilon: 1e-2), Layer.BatchNormalization(hasWeights: false),
        Layer.MaximumPooling((3, 2), (2, 1), (1, 1)),
        Layer.TransposedConvolution(4, (3, 2), stride: (2, 3), padding: (1, 0), outputPadding: (1, 2), groups: 2, hasBias: false),
        Layer.AveragePooling((2, 3), (1, 2), (1, 1), countsPadding: false), Layer.AveragePooling(2, 1, 1),
        Layer.TransposedConvolution(4, 2, dilation: (2, 3)), Layer.AdaptiveAveragePooling((5, 4)), Layer.Upsampling((1, 2)),
        Layer.LayerNormalization(1e-2, dimensions: 3), Layer.LayerNormalization(1e-3, dimensions: 2, hasBias: false),
        Layer.Flatten(), Layer.Dense(6, hasBias: false), Layer.BatchNormalization(), Layer.LayerNormalization(hasWeights: false),
        Layer.Reshape(2, 3), Layer.Dense(2, hasBias: false),
    ];

    [Fact]
    public void Every_layer_gives_in_ONNX_Runtime_what_it_gives_here()
    {
        foreach (var layers in (Layer[][])[s_allLayers, s_allOptions])
        {
            using var network = TransferNetwork.Create(null, layers, [3, 8, 8], seed: 1);
            Check(network, 1e-5);
        }
    }

    [Theory]
    [InlineData(11)]
    [InlineData(13)]
    [InlineData(18)]
    public void New_layers_are_written_behind_a_graph_of_any_version(int opset)
    {
        var graph = new TestGraph(opset, null, 3, 8, 8).Weight("w", 3, 3, 3, 3).Node("Conv", "x w", "y", ("pads", (long[])[1, 1, 1, 1]))
            .ToGraph();
        using (var network = TransferNetwork.Create(new OnnxImport(graph), s_allLayers, [3, 8, 8], seed: 1))
            Check(network, 1e-5);
        using (var network = TransferNetwork.Create(new OnnxFeatures(graph), s_allLayers, [3, 8, 8], seed: 1))
            Check(network, 1e-5);
    }

    [Fact]
    public void The_graph_scales_its_input_as_asked()
    {
        using var scope = NewDisposeScope();
        var graph = new TestGraph(17, null, 3, 4, 4).Weight("w", 2, 3, 1, 1).Node("Conv", "x w", "y").ToGraph();
        using var network = TransferNetwork.Create(new OnnxImport(graph), [Layer.Flatten()], [3, 4, 4], seed: 1);
        var pixels = randint(0, 256, [2, 3, 4, 4], ScalarType.Float32, generator: new Generator(5));
        float[] scale = [0.1f, 0.2f, 0.3f], offset = [-1, 0, 1];

        using var exported = Load(NetworkToOnnx.Create(network, "pixels", "result", scale, offset));

        var scaled = pixels * tensor(scale, [3, 1, 1]) + tensor(offset, [3, 1, 1]);
        Assert.InRange((network.Forward(scaled) - exported.Forward(pixels)).abs().max().item<float>(), 0, 1e-4);
        Assert.Equal("pixels", exported.Graph.Input);
        Assert.Equal("result", exported.Graph.Output);
    }

    [Fact]
    public void Values_of_the_pretrained_graph_give_way_to_the_names_of_input_and_output()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var graph = new TestGraph(17, null, 4).Weight("pixels", 3, 4).Node("Gemm", "x pixels", "result", ("transB", 1))
            .Node("Relu", "result", "/Identity_output_0").ToGraph();
        using var network = TransferNetwork.Create(new OnnxFeatures(graph), [Layer.Dense(2)], [4], seed: 1);
        var input = randn(3, 4);

        using var exported = Load(NetworkToOnnx.Create(network, "pixels", "result", null, null));

        Assert.Equal(("pixels", "result"), (exported.Graph.Input, exported.Graph.Output));
        Assert.InRange((network.Forward(input) - exported.Forward(input)).abs().max().item<float>(), 0, 1e-5);
        var message = Assert.Throws<ArgumentException>(() => NetworkToOnnx.Create(network, "same", "same", null, null)).Message;
        Assert.Contains("'same'", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("output", "gemm")]      // values of the base
    [InlineData("gemm", "output")]
    [InlineData("x", "identity")]       // the base's input, and a value that is called as a new node would be
    [InlineData("identity", "x")]
    [InlineData("new.0.weight", "new.0.bias")] // weights of the base, called as those of a new layer
    [InlineData("weight", "listed")]    // one that an old file lists as an input
    [InlineData("listed", "weight")]
    [InlineData("input.scale", "input.offset")]
    [InlineData("Node", "gemm_1")]      // the name of two nodes, and one that a renamed value would get
    public void Whatever_stands_in_the_pretrained_graph_gives_way(string inputName, string outputName)
    {
        foreach (var irVersion in (long[])[3, 8])
        {
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            var test = new TestGraph(9, null, 3, 1, 1).Weight("new.0.weight", 4, 3).Weight("new.0.bias", 4).Weight("weight", 4, 4)
                .Weight("listed", 4).Weight("input.scale", 4)
                .Node("Flatten", "x", "identity").Node("Gemm", "identity new.0.weight new.0.bias", "gemm", ("transB", 1))
                .Node("Gemm", "gemm weight listed", "output", ("transB", 1)).Node("Mul", "output input.scale", "gemm_2");
            foreach (var node in test.Model.Graph.Node.Skip(1))
                node.Name = "Node";
            test.Model.IrVersion = irVersion;
            test.Model.Graph.Input.AddRange(irVersion > 3 ? [] : test.Model.Graph.Initializer.Select(weight => new ValueInfoProto
            {
                Name = weight.Name,
                Type = Float([.. weight.Dims]),
            }));
            Layer[] newLayers = [Layer.Dense(5, Activation.Relu), Layer.Dense(2)];
            using var network = TransferNetwork.Create(new OnnxImport(test.ToGraph()), newLayers, [3, 1, 1], seed: 1);
            var input = randn(4, 3, 1, 1);
            float[] scale = [0.1f, 0.2f, 0.3f], offset = [-1, 0, 1];

            using var exported = Load(NetworkToOnnx.Create(network, inputName, outputName, scale, offset));

            Assert.Equal((inputName, outputName), (exported.Graph.Input, exported.Graph.Output));
            var scaled = input * tensor(scale, [3, 1, 1]) + tensor(offset, [3, 1, 1]);
            Assert.InRange((network.Forward(scaled) - exported.Forward(input)).abs().max().item<float>(), 0, 1e-5);
            var names = exported.Graph.Model.Graph.Node.Select(node => node.Name).ToList();
            Assert.Equal(names.Count, names.Distinct().Count());
        }
    }

    [Fact]
    public void What_a_new_layer_needs_is_written_for_the_oldest_operators_too()
    {
        var graph = new TestGraph(9, null, 3, 8, 8).Weight("w", 3, 3, 1, 1).Node("Conv", "x w", "y").ToGraph();
        foreach (var layers in (Layer[][])[s_allLayers, s_allOptions])
        {
            using var network = TransferNetwork.Create(new OnnxImport(graph), layers, [3, 8, 8], seed: 1);
            Check(network, 1e-5);
        }
    }

    [Theory]
    [InlineData("input", "inner")]
    [InlineData("inner", "then_branch")]
    [InlineData("x", "else_branch")]
    public void Names_that_only_bodies_use_give_way_too(string inputName, string outputName)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var test = new TestGraph(17, null, 4).Node("ReduceSum", "x", "sum", ("keepdims", 0)).Scalar("zero", 0)
            .Node("Greater", "sum zero", "isPositive").Node("If", "isPositive", "chosen");
        test.Model.Graph.Node[^1].Attribute.AddRange([Branch("then_branch", "Neg"), Branch("else_branch", "Abs")]);
        using var network = TransferNetwork.Create(new OnnxFeatures(test.ToGraph()), [Layer.Dense(2)], [4], seed: 1);
        var input = randn(1, 4);

        using var exported = Load(NetworkToOnnx.Create(network, inputName, outputName, null, null));

        Assert.InRange((network.Forward(input) - exported.Forward(input)).abs().max().item<float>(), 0, 1e-5);

        static AttributeProto Branch(string name, string operation) => new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.Graph,
            G = new GraphProto
            {
                Name = name,
                Node =
                {
                    new NodeProto { OpType = operation, Input = { "x" }, Output = { "inner" } },
                    new NodeProto { OpType = "Exp", Input = { "inner" }, Output = { name } },
                },
                Output = { new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new() { ElemType = 1 } } } },
            },
        };
    }

    [Fact]
    public void Names_inside_of_a_conditional_are_changed_with_those_outside()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var test = new TestGraph(17, null, 4).Node("ReduceSum", "x", "sum", ("keepdims", 0)).Scalar("zero", 0)
            .Node("Greater", "sum zero", "isPositive").Node("Relu", "x", "output").Node("If", "isPositive", "chosen");
        test.Model.Graph.Node[^1].Attribute.AddRange([Branch("then_branch", "Neg"), Branch("else_branch", "Abs")]);
        using var network = TransferNetwork.Create(new OnnxFeatures(test.ToGraph()), [Layer.Dense(2)], [4], seed: 1);
        var input = randn(1, 4);

        using var exported = Load(NetworkToOnnx.Create(network, "input", "output", null, null));

        Assert.InRange((network.Forward(input) - exported.Forward(input)).abs().max().item<float>(), 0, 1e-5);

        static AttributeProto Branch(string name, string operation) => new()
        {
            Name = name,
            Type = AttributeProto.Types.AttributeType.Graph,
            G = new GraphProto
            {
                Name = name,
                Node = { new NodeProto { OpType = operation, Input = { "output" }, Output = { name } } },
                Output = { new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new() { ElemType = 1 } } } },
            },
        };
    }

    [Fact]
    public void Files_of_a_version_that_lists_weights_as_inputs_get_new_ones_there_too()
    {
        var test = new TestGraph(9, null, 3, 8, 8).Weight("w", 3, 3, 3, 3).Node("Conv", "x w", "y", ("pads", (long[])[1, 1, 1, 1]));
        test.Model.IrVersion = 3;
        test.Model.Graph.Input.Add(new ValueInfoProto { Name = "w", Type = Float(3, 3, 3, 3) });
        using var network = TransferNetwork.Create(
            new OnnxFeatures(test.ToGraph()), [Layer.Convolution(2, 3, Activation.Gelu), Layer.LayerNormalization()], [3, 8, 8], seed: 1);

        Check(network, 1e-5);
    }

    [Fact]
    public void A_network_without_a_graph_is_refused()
    {
        using var network = TransferNetwork.Create(new ModuleBaseNetwork(nn.Linear(4, 3), "my module"), [Layer.Dense(2)], [4], seed: 1);

        var message = Assert.Throws<NotSupportedException>(() => NetworkToOnnx.Create(network, "x", "y", null, null)).Message;

        Assert.Contains("my module", message, StringComparison.Ordinal);
    }

    private static TypeProto Float(params long[] shape) => new()
    {
        TensorType = new()
        {
            ElemType = 1,
            Shape = new() { Dim = { shape.Select(extent => new TensorShapeProto.Types.Dimension { DimValue = extent }) } },
        },
    };

    private static void Check(TransferNetwork network, double tolerance)
    {
        using (no_grad())
        {
            foreach (var (name, buffer) in network.NewLayers.named_buffers()) // statistics that are not those of the start
                buffer.add_(rand(buffer.shape, generator: new Generator(3)));
        }

        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var exported = Load(NetworkToOnnx.Create(network, "input", "output", null, null));
        var input = randn([3, 3, 8, 8], generator: new Generator(5));
        var (expected, computed) = (network.Forward(input), exported.Forward(input));
        Assert.Equal(expected.shape, computed.shape);
        Assert.InRange((expected - computed).abs().max().item<float>(), 0, tolerance);
    }

    private static OnnxFeatures Load(GraphBuilder graph)
    {
        using var file = new MemoryStream();
        ModelFileWriter.Write(file, graph);
        return new(OnnxGraph.Read(file.ToArray(), "exported.onnx", null));
    }
}
