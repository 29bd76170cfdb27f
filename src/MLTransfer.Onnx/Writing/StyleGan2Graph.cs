using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Torch.Networks.StyleGan2;
using static TorchSharp.torch;
using DataType = MLTransfer.Onnx.Schema.TensorProto.Types.DataType;

namespace MLTransfer.Onnx.Writing;

/// <summary>The generator of StyleGAN2 as a graph. Factors that do not depend on the input are part of its weights.</summary>
internal sealed class StyleGan2Graph
{
    private const double Epsilon = 1e-8;
    private const float Slope = 0.2f;

    private static readonly double s_gain = Math.Sqrt(2);

    private readonly GraphBuilder _graph = new();
    private readonly StyleGan2Configuration.GeneratorSizes _sizes;
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly NoiseMode _noise;

    private StyleGan2Graph(StyleGan2Model model, NoiseMode noise)
    {
        _sizes = StyleGan2Configuration.Parse(model.Configuration, "The model's configuration").Generator;
        _tensors = new(StyleGan2Model.CheckpointTensors(model.Generator));
        _noise = noise;
    }

    /// <summary>The graph from <c>z</c>, <c>labels</c> where the model takes them and <c>psi</c> to <c>image</c>.</summary>
    public static GraphBuilder Build(StyleGan2Model model, NoiseMode noise)
    {
        var family = new StyleGan2Graph(model, noise);
        family.Build();
        return family._graph;
    }

    private void Build()
    {
        var w = Map(); // [N, width]
        Value? features = null, image = null;
        var channels = 0;
        foreach (var resolution in StyleGan2Configuration.Resolutions(_sizes.ImageResolution))
        {
            var block = $"synthesis.b{resolution}";
            _graph.EnterScope("/" + block.Replace('.', '/'));
            features = features is null
                ? Vector($"{block}.const", tensor => tensor.unsqueeze(0)) // [1, C, 4, 4]; the first product with styles has the batch
                : Layer($"{block}.conv0", features, w, channels, resolution, doubles: true);
            channels = _sizes.Synthesis.Channels(resolution);
            features = Layer($"{block}.conv1", features, w, channels, resolution, doubles: false);
            var rgb = ToRgb($"{block}.torgb", features, w, channels);
            image = image is null ? rgb : _graph.Sum(rgb, Double(image));
        }

        var size = (long)_sizes.ImageResolution;
        _graph.Output("image", image!, DataType.Float, "batch", (long)_sizes.ImageChannels, size, size);
    }

    private Value Map()
    {
        _graph.EnterScope("/mapping");
        var hidden = Normalize(_graph.Input("z", DataType.Float, "batch", (long)_sizes.LatentWidth));
        if (_sizes.LabelWidth > 0)
        {
            var labels = _graph.Input("labels", DataType.Float, "batch", (long)_sizes.LabelWidth);
            hidden = _graph.Concatenate(1, hidden, Normalize(Linear("mapping.embed", labels, 1, 1)));
        }

        for (var index = 0; index < _sizes.Mapping.LayerCount; index++)
        {
            hidden = Linear(
                $"mapping.fc{index}", hidden, s_gain * _sizes.Mapping.LearningRateMultiplier,
                    s_gain * _sizes.Mapping.LearningRateMultiplier);
            hidden = LeakyRelu(hidden);
        }

        if (!_tensors.ContainsKey("mapping.w_avg"))
            return hidden;
        var psi = _graph.Input("psi", DataType.Float, "batch", 1L);
        var average = Vector("mapping.w_avg");
        return _graph.Sum(average, _graph.Product(_graph.Node("Sub", [hidden, average]), psi));
    }

    /// <summary>Rows [N, width] scaled to a mean square of 1.</summary>
    private Value Normalize(Value rows)
    {
        var energy = _graph.Mean(_graph.Product(rows, rows), 1);
        return _graph.Node("Div", [rows, Root(energy)]);
    }

    private Value Root(Value energy) => _graph.Node("Sqrt", [_graph.Sum(energy, _graph.Constant(Epsilon, DataType.Float))]);

    /// <summary>[N, input] to [N, output].</summary>
    /// <param name="name">The layer.</param>
    /// <param name="input">The rows.</param>
    /// <param name="weightFactor">A factor on the weight, besides 1 / sqrt(input).</param>
    /// <param name="biasFactor">A factor on the bias.</param>
    private Value Linear(string name, Value input, double weightFactor, double biasFactor) => _graph.Node("Gemm", [
        input,
        Vector($"{name}.weight", weight => (weight * (weightFactor / Math.Sqrt(weight.shape[1]))).t()), // [input, output]
        Vector($"{name}.bias", bias => bias * biasFactor)]);

    /// <summary>A modulated 3x3 convolution with noise, bias and leaky ReLU, to [N, output, R, R].</summary>
    private Value Layer(string name, Value input, Value w, int inputChannels, int resolution, bool doubles)
    {
        var outputChannels = _sizes.Synthesis.Channels(resolution);
        var styles = Linear($"{name}.affine", w, 1, 1);                  // [N, input]
        var weight = $"{name}.weight";
        var energy = Vector(weight, tensor => tensor.square().sum([2, 3]).t(), suffix: ".energy"); // [input, output]
        var demodulation = _graph.Node("Div", [
            _graph.Constant(s_gain, DataType.Float), Root(_graph.MatrixProduct(_graph.Product(styles, styles), energy))]); // [N, output]

        var modulated = _graph.Product(input, Maps(styles, inputChannels));
        var output = doubles
            ? Smooth(_graph.Node(
                "ConvTranspose", [modulated, Vector(weight, tensor => tensor.transpose(0, 1))], ("strides", new long[] { 2, 2 })),
                    outputChannels)
            : _graph.Node("Conv", [modulated, Vector(weight)], ("pads", new long[] { 1, 1, 1, 1 }));
        output = _graph.Product(output, Maps(demodulation, outputChannels));
        if (_noise == NoiseMode.Constant)
        {
            var strength = _tensors[$"{name}.noise_strength"];
            output = _graph.Sum(output, Vector($"{name}.noise_const", map => map * strength * s_gain));
        }

        output = _graph.Sum(output, Vector($"{name}.bias", bias => (bias * s_gain).view(1, -1, 1, 1)));
        return Clamp(LeakyRelu(output));
    }

    /// <summary>A modulated 1x1 convolution to the image's channels.</summary>
    private Value ToRgb(string name, Value input, Value w, int channels)
    {
        var styles = Linear($"{name}.affine", w, 1, 1);
        var weight = Vector($"{name}.weight", tensor => tensor / Math.Sqrt(channels));
        return Clamp(_graph.Node("Conv", [_graph.Product(input, Maps(styles, channels)), weight, Vector($"{name}.bias")]));
    }

    private Value LeakyRelu(Value value) => _graph.Node("LeakyRelu", [value], ("alpha", Slope));

    private Value Clamp(Value value) => _sizes.Synthesis.Clamp is not { } limit ? value : _graph.Node(
        "Clip", [value, _graph.Constant(-limit, DataType.Float), _graph.Constant(limit, DataType.Float)]);

    /// <summary>[N, C] to [N, C, 1, 1].</summary>
    private Value Maps(Value rows, long channels) => _graph.Reshape(rows, -1, channels, 1, 1);

    /// <summary>Behind a transposed convolution: [N, C, 2R + 1, 2R + 1] to [N, C, 2R, 2R].</summary>
    private Value Smooth(Value features, long channels) =>
        _graph.Node("Conv", [features, Filter(channels)], ("pads", new long[] { 1, 1, 1, 1 }), ("group", channels));

    /// <summary>[N, image channels, R, R] to twice the resolution.</summary>
    private Value Double(Value image) => _graph.Node(
        "ConvTranspose", [image, Filter(_sizes.ImageChannels)],
        ("strides", new long[] { 2, 2 }), ("pads", new long[] { 1, 1, 1, 1 }), ("group", (long)_sizes.ImageChannels));

    /// <summary>outer([1, 3, 3, 1]) / 16 for each channel: [C, 1, 4, 4].</summary>
    private Value Filter(long channels) => Vector(
        "synthesis.b4.resample_filter", filter => (filter * 4).expand(channels, 1, 4, 4), suffix: $".{channels}");

    /// <summary>A tensor of the checkpoint, as it is or as a function of it, under its name.</summary>
    private Value Vector(string name, Func<Tensor, Tensor>? make = null, string suffix = "") => _graph.Add(name + suffix, () =>
        TensorContent.Initializer(name + suffix, DataType.Float, () => make is null ? _tensors[name] : make(_tensors[name])));
}
