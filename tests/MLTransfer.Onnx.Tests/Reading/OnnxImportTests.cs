using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Networks.Described;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests.Reading;

public class OnnxImportTests
{
    private static readonly Dictionary<string, Func<TestGraph>> s_graphs = new()
    {
        ["Gemm"] = () => Vector().Weight("w", 6, 5).Weight("b", 5).Node("Gemm", "x w b", "y"),
        ["Gemm scaled and transposed"] = () => Vector().Weight("w", 5, 6).Weight("b", 5)
            .Node("Gemm", "x w b", "y", ("transB", 1), ("alpha", 0.5f), ("beta", 2f)),
        ["MatMul with bias"] = () => Vector().Weight("w", 6, 5).Weight("b", 5).Node("MatMul", "x w", "p").Node("Add", "p b", "y"),
        ["MatMul with a transposed weight"] = () =>
            Vector().Weight("w", 5, 6).Node("Transpose", "w", "t", ("perm", (long[])[1, 0])).Node("MatMul", "x t", "y"),
        ["Arithmetic"] = () =>
            Vector().Positive("a", 6).Scalar("two", 2).Node("Sub", "x a", "b").Node("Mul", "b a", "c").Node("Div", "c a", "d")
            .Node("Abs", "d", "e").Node("Pow", "e two", "f").Node("Neg", "f", "g").Node("Exp", "g", "h").Node("Add", "h a", "i")
            .Node("Log", "i", "j")
            .Node("Sqrt", "i", "k").Node("Reciprocal", "k", "l").Node("Add", "j l", "y"),
        ["Relu"] = () => Vector().Node("Relu", "x", "y"),
        ["LeakyRelu"] = () => Vector().Node("LeakyRelu", "x", "y", ("alpha", 0.2f)),
        ["Sigmoid, Tanh"] = () => Vector().Node("Sigmoid", "x", "s").Node("Tanh", "s", "y"),
        ["Gelu out of Erf"] = () =>
            Vector().Scalar("root", 1.41421356f).Scalar("one", 1).Scalar("half", 0.5f).Node("Div", "x root", "a").Node("Erf", "a", "b")
            .Node("Add", "b one", "c").Node("Mul", "x c", "d").Node("Mul", "d half", "y"),
        ["Gelu"] = () => new TestGraph(20, null, 6).Node("Gelu", "x", "y"),
        ["Gelu by tanh"] = () => new TestGraph(20, null, 6).Node("Gelu", "x", "y", ("approximate", "tanh")),
        ["Elu"] = () => Vector().Node("Elu", "x", "y", ("alpha", 0.7f)),
        ["HardSigmoid, HardSwish, Softplus"] = () =>
            Vector().Node("HardSigmoid", "x", "a", ("alpha", 0.3f)).Node("HardSwish", "a", "b").Node("Softplus", "b", "y"),
        ["PRelu"] = () => Vector().Weight("s", 6).Node("PRelu", "x s", "y"),
        ["Softmax"] = () => Vector().Node("Softmax", "x", "y", ("axis", -1)),
        ["LogSoftmax"] = () => Vector().Node("LogSoftmax", "x", "y"),
        ["Softmax of an old version"] = () => new TestGraph(11, null, 3, 4).Node("Softmax", "x", "y"),
        ["Clip"] = () => Vector().Scalar("low", -0.3f).Scalar("high", 0.4f).Node("Clip", "x low high", "y"),
        ["Clip without a minimum"] = () => Vector().Scalar("high", 0.4f).Node("Clip", "x _ high", "y"),
        ["Clip of an old version"] = () => new TestGraph(9, null, 6).Node("Clip", "x", "y", ("min", -0.1f), ("max", 0.2f)),
        ["Conv"] = () => Picture().Weight("w", 4, 3, 3, 3).Weight("b", 4)
            .Node("Conv", "x w b", "y", ("strides", (long[])[2, 1]), ("pads", (long[])[1, 1, 1, 1]), ("dilations", (long[])[1, 2])),
        ["Conv padded on one side"] = () => Picture().Weight("w", 4, 3, 3, 3).Node("Conv", "x w", "y", ("pads", (long[])[0, 1, 2, 0])),
        ["Conv padded by itself"] = () =>
            Picture().Weight("w", 4, 3, 2, 3).Node("Conv", "x w", "y", ("auto_pad", "SAME_UPPER"), ("strides", (long[])[2, 2])),
        ["Conv in groups"] = () => Picture().Weight("w", 6, 1, 3, 3).Node("Conv", "x w", "y", ("group", 3)),
        ["Conv in one dimension"] = () =>
            new TestGraph(17, null, 3, 9).Weight("w", 4, 3, 3).Weight("b", 4).Node("Conv", "x w b", "y", ("pads", (long[])[1, 1])),
        ["ConvTranspose"] = () => Picture().Weight("w", 3, 4, 3, 3).Weight("b", 4).Node("ConvTranspose", "x w b", "y",
            ("strides", (long[])[2, 2]), ("pads", (long[])[1, 1, 1, 1]), ("output_padding", (long[])[1, 1])),
        ["BatchNormalization"] = () => Picture().Positive("s", 3).Weight("b", 3).Weight("m", 3).Positive("v", 3)
            .Node("BatchNormalization", "x s b m v", "y", ("epsilon", 1e-3f)),
        ["LayerNormalization"] = () => Vector().Positive("s", 6).Weight("b", 6).Node("LayerNormalization", "x s b", "y"),
        ["InstanceNormalization"] = () => Picture().Positive("s", 3).Weight("b", 3).Node("InstanceNormalization", "x s b", "y"),
        ["MaxPool"] = () => Picture().Node("MaxPool", "x", "y",
            ("kernel_shape", (long[])[3, 2]), ("strides", (long[])[2, 2]), ("pads", (long[])[1, 0, 1, 0]), ("ceil_mode", 1)),
        ["MaxPool padded on one side"] = () =>
            Picture().Node("MaxPool", "x", "y", ("kernel_shape", (long[])[2, 2]), ("pads", (long[])[0, 0, 1, 1])),
        ["AveragePool"] = () => Picture().Node("AveragePool", "x", "y",
            ("kernel_shape", (long[])[3, 3]), ("strides", (long[])[2, 2]), ("pads", (long[])[1, 1, 1, 1])),
        ["AveragePool that counts the padding"] = () => Picture().Node("AveragePool", "x", "y",
            ("kernel_shape", (long[])[3, 3]), ("pads", (long[])[1, 1, 1, 1]), ("count_include_pad", 1)),
        ["GlobalAveragePool, Flatten"] = () => Picture().Node("GlobalAveragePool", "x", "g").Node("Flatten", "g", "y"),
        ["GlobalMaxPool, Squeeze"] = () => Picture().Integers("axes", 2, 3).Node("GlobalMaxPool", "x", "g").Node("Squeeze", "g axes", "y"),
        ["Squeeze and Unsqueeze of an old version"] = () => new TestGraph(11, null, 1, 6).Node("Squeeze", "x", "s", ("axes", (long[])[1]))
            .Node("Unsqueeze", "s", "y", ("axes", (long[])[2])),
        ["Reshape by the shape of the input"] = () => Picture().Integers("zero", 0).Integers("axes", 0).Integers("rest", -1)
            .Node("Shape", "x", "shape").Node("Gather", "shape zero", "batch").Node("Concat", "batch rest", "target", ("axis", 0))
            .Node("Reshape", "x target", "y"),
        ["Reshape that keeps dimensions"] = () => Picture().Integers("shape", 0, 0, -1).Node("Reshape", "x shape", "y"),
        ["Transpose"] = () => Picture().Node("Transpose", "x", "y", ("perm", (long[])[0, 2, 3, 1])),
        ["Concat, Split"] = () =>
            Picture().Node("Split", "x", "a b c", ("axis", 1)).Node("Relu", "c", "r").Node("Concat", "b r a x", "y", ("axis", 1)),
        ["Slice"] = () =>
            Picture().Integers("starts", 1, -3).Integers("ends", long.MaxValue, -1).Integers("axes", 2, 3).Integers("steps", 2, 1)
            .Node("Slice", "x starts ends axes steps", "y"),
        ["Slice of an old version"] = () =>
            new TestGraph(9, null, 6).Node("Slice", "x", "y", ("starts", (long[])[1]), ("ends", (long[])[4]), ("axes", (long[])[1])),
        ["Pad"] = () => Picture().Integers("pads", 0, 0, 1, 2, 0, 0, 3, 0).Scalar("value", 0.5f).Node("Pad", "x pads value", "y"),
        ["Pad by reflection"] = () => Picture().Integers("pads", 0, 0, 1, 2, 0, 0, 2, 1).Node("Pad", "x pads", "y", ("mode", "reflect")),
        ["Pad by the edge"] = () => Picture().Integers("pads", 0, 0, 1, 2, 0, 0, 2, 1).Node("Pad", "x pads", "y", ("mode", "edge")),
        ["Resize"] = () => Picture().Floats("scales", 1, 1, 2, 3).Node("Resize", "x _ scales", "y", ("mode", "nearest"),
            ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")),
        ["Resize to a size"] = () => Picture().Integers("sizes", 2, 3, 14, 16).Node("Resize", "x _ _ sizes", "y", ("mode", "nearest")),
        ["Upsample"] = () => new TestGraph(9, null, 3, 7, 8).Floats("scales", 1, 1, 2, 2).Node("Upsample", "x scales", "y"),
        ["DepthToSpace"] = () => new TestGraph(17, null, 8, 3, 4).Node("DepthToSpace", "x", "y", ("blocksize", 2)),
        ["DepthToSpace by columns"] = () =>
            new TestGraph(17, null, 8, 3, 4).Node("DepthToSpace", "x", "y", ("blocksize", 2), ("mode", "CRD")),
        ["ReduceMean, ReduceSum, ReduceMax"] = () => Picture().Integers("axes", 2).Node("ReduceMean", "x", "a", ("axes", (long[])[-1]))
            .Node("ReduceSum", "a axes", "b", ("keepdims", 0)).Node("ReduceMax", "b", "y", ("axes", (long[])[1])),
        ["Constants"] = () => Vector().Node("Constant", "", "c", ("value", TestGraph.ToProto("", tensor(new float[] { 1, 2, 3, 4, 5, 6 }))))
            .Integers("shape", 1, 6).Node("ConstantOfShape", "shape", "z").Node("Expand", "c shape", "e").Node("Add", "x e", "a")
            .Node("Add", "a z", "y"),
        ["Cast, Identity, Dropout"] = () =>
            Vector().Node("Cast", "x", "d", ("to", 11)).Node("Cast", "d", "f", ("to", 1)).Node("Identity", "f", "i")
            .Node("Dropout", "i", "y"),
    };

    public static TheoryData<string> Graphs => [.. s_graphs.Keys];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void An_imported_graph_computes_what_ONNX_Runtime_computes(string name)
    {
        using var scope = NewDisposeScope();
        var graph = s_graphs[name]().ToGraph();
        using var imported = new OnnxImport(graph);
        using var reference = new OnnxFeatures(graph);
        using var gradients = no_grad();
        var input = randn([2, .. graph.InputShape!], generator: new Generator(5));

        var (expected, computed) = (reference.Forward(input), imported.Forward(input));

        Assert.Equal(expected.shape, computed.shape);
        Assert.InRange((expected - computed).abs().max().item<float>(), 0, 1e-5);
        Assert.True(expected.abs().max().item<float>() > 0.01);
    }

    [Fact]
    public void An_imported_convolution_has_the_gradients_of_TorchSharps_own()
    {
        using var scope = NewDisposeScope();
        using var own = nn.Conv2d(3, 4, 3, stride: 2, padding: 1);
        var graph = new TestGraph(17, null, 3, 7, 8).Node("Conv", "x w b", "c", ("strides", (long[])[2, 2]), ("pads", (long[])[1, 1, 1, 1]))
            .Node("Relu", "c", "y");
        graph.Model.Graph.Initializer.AddRange([TestGraph.ToProto("w", own.weight!), TestGraph.ToProto("b", own.bias!)]);
        using var imported = new OnnxImport(graph.ToGraph());
        var input = randn([2, 3, 7, 8], generator: new Generator(5));

        nn.functional.relu(own.call(input)).square().sum().backward();
        imported.Forward(input).square().sum().backward();

        Assert.Equal(["w", "b"], imported.Parameters.Select(p => p.Key));
        foreach (var (expected, (_, parameter)) in ((Tensor[])[own.weight!.grad!, own.bias!.grad!]).Zip(imported.Parameters))
            Assert.InRange((expected - parameter.grad!).abs().max().item<float>(), 0, 1e-5);
    }

    [Fact]
    public void Only_weights_are_trained_and_a_bias_belongs_to_the_layer_of_its_product()
    {
        using var network =
            new OnnxImport(Vector().Floats("mean", 1, 2, 3, 4, 5, 6).Weight("w", 6, 4).Weight("b", 4).Positive("s", 4).Weight("o", 4)
            .Weight("m", 4).Positive("v", 4).Scalar("half", 0.5f).Node("Sub", "x mean", "a").Node("MatMul", "a w", "p")
            .Node("Add", "b p", "q")
            .Node("BatchNormalization", "q s o m v", "n").Node("Mul", "n half", "y").ToGraph());

        Assert.Equal(["w", "b", "s", "o"], network.Parameters.Select(p => p.Key));
        Assert.Equal(["p", "p", "n", "n"], network.Parameters.Select(p => network.LayerOf(p.Key)));
    }

    [Fact]
    public void An_unsupported_operator_is_refused_by_name_node_and_place()
    {
        var graph = Vector().Node("Relu", "x", "r").Node("Bernoulli", "r", "y");

        var message = Assert.Throws<NotSupportedException>(() => new OnnxImport(graph.ToGraph())).Message;

        Assert.Contains("'Bernoulli'", message, StringComparison.Ordinal);
        Assert.Contains("'test.onnx', node 1 'Bernoulli_1'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unsupported_attribute_is_refused_when_layers_are_put_on_it()
    {
        using var network =
            new OnnxImport(Picture().Floats("scales", 1, 1, 2, 2).Node("Resize", "x _ scales", "y", ("mode", "linear")).ToGraph());

        var message = Assert.Throws<NotSupportedException>(() => TransferNetwork.Create(network, [], [3, 7, 8], seed: 1)).Message;

        Assert.Contains("node 0 'Resize_0'", message, StringComparison.Ordinal);
        Assert.Contains("linear", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shape_that_does_not_fit_is_told_with_the_node()
    {
        using var network = new OnnxImport(new TestGraph(17, null, null).Weight("w", 6, 5).Node("MatMul", "x w", "y").ToGraph());

        var message = Assert.Throws<ArgumentException>(() => TransferNetwork.Create(network, [], [7], seed: 1)).Message;

        Assert.Contains("[7]", message, StringComparison.Ordinal);
        Assert.Contains("node 0 'MatMul_0'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_output_can_be_any_value_of_the_graph()
    {
        using var scope = NewDisposeScope();
        var source = Vector().Weight("w", 6, 5).Weight("unused", 5, 2).Node("MatMul", "x w", "features")
            .Node("MatMul", "features unused", "classes");
        var graph = source.ToGraph("features");
        using var imported = new OnnxImport(graph);
        using var reference = new OnnxFeatures(graph);
        var input = randn([2, 6], generator: new Generator(5));

        Assert.Equal([2, 5], reference.Forward(input).shape);
        Assert.InRange((reference.Forward(input) - imported.Forward(input)).abs().max().item<float>(), 0, 1e-5);
        Assert.Equal(["w"], graph.Model.Graph.Initializer.Select(tensor => tensor.Name));
        Assert.Contains("'features'", Assert.Throws<ArgumentException>(() => source.ToGraph("missing")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_fixes_its_batch_is_run_row_by_row()
    {
        using var scope = NewDisposeScope();
        var graph = new TestGraph(17, 1, 6).Integers("shape", 1, 2, 3).Node("Reshape", "x shape", "y").ToGraph();
        using var imported = new OnnxImport(graph);
        using var reference = new OnnxFeatures(graph);
        var input = randn([3, 6], generator: new Generator(5));

        Assert.Equal([3, 2, 3], imported.Forward(input).shape);
        Assert.True(imported.Forward(input).allclose(input.reshape(3, 2, 3)));
        Assert.True(reference.Forward(input).allclose(input.reshape(3, 2, 3)));
    }

    [Fact]
    public void Data_in_other_files_is_refused_wherever_it_is_named()
    {
        var tensor = new TensorProto { Name = "w", DataType = 1, DataLocation = TensorProto.Types.DataLocation.External };
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "/etc/passwd" });
        var initializer = Vector().Node("Relu", "x", "y");
        initializer.Model.Graph.Initializer.Add(tensor);
        var constant = Vector().Node("Constant", "", "c", ("value", tensor)).Node("Add", "x c", "y");
        var body = Vector().Node("If", "x", "y");
        body.Model.Graph.Node[0].Attribute.Add(new AttributeProto { Name = "then_branch", G = constant.Model.Graph });
        var function = Vector().Node("Relu", "x", "y");
        function.Model.Functions.Add(new FunctionProto { Name = "f", Node = { constant.Model.Graph.Node } });

        foreach (var graph in (TestGraph[])[initializer, constant, body, function])
            Assert.Contains("another file", Assert.Throws<NotSupportedException>(() => graph.ToGraph()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_refused_and_runs_nothing()
    {
        var bytes = Picture().Weight("w", 4, 3, 3, 3).Weight("b", 4).Node("Conv", "x w b", "c").Node("Flatten", "c", "y").ToBytes();
        var random = new Random(3);
        for (var round = 0; round < 300; round++)
        {
            var changed = (byte[])bytes.Clone();
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            if (round % 3 == 0)
                changed = changed[..random.Next(changed.Length)];
            try
            {
                using var scope = NewDisposeScope();
                using var network = new OnnxImport(OnnxGraph.Read(changed, "test.onnx", null));
                network.Forward(zeros(1, 3, 7, 8));
            }
            catch (Exception exception)
            {
                Assert.True(exception is InvalidDataException or NotSupportedException or InvalidOperationException
                    or ArgumentException, exception.ToString());
            }
        }
    }

    private static TestGraph Vector() => new(17, null, 6);

    private static TestGraph Picture() => new(17, null, 3, 7, 8);
}
