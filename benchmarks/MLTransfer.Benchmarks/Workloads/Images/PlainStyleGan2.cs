using MLTransfer.Torch.Networks.StyleGan2;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>
/// StyleGAN2 as one writes it in TorchSharp from the paper's formulas: weights of each sample's own in a grouped convolution, one operation
/// a term.
/// </summary>
internal sealed class PlainStyleGan2 : IDisposable
{
    private const double Gain = 1.4142135623730951;

    private readonly int _resolution;
    private readonly int _mappingLayers;
    private readonly Dictionary<string, Parameter> _generator;
    private readonly Dictionary<string, Parameter> _discriminator;
    private readonly Tensor _filter;

    /// <summary>Copies a model's weights.</summary>
    public PlainStyleGan2(StyleGan2Model model)
    {
        _resolution = model.Generator.ImageResolution;
        _generator = Copy(model.Generator);
        _discriminator = Copy(model.Discriminator);
        _mappingLayers = _generator.Keys.Count(name => name.StartsWith("mapping.fc", StringComparison.Ordinal)) / 2;
        using var scope = NewDisposeScope();
        var taps = tensor(new float[] { 1, 3, 3, 1 });
        _filter = (outer(taps, taps) / 64).DetachFromDisposeScope();
    }

    public IEnumerable<Parameter> GeneratorParameters => _generator.Values;

    public IEnumerable<Parameter> DiscriminatorParameters => _discriminator.Values;

    public int StyleCount => 2 * int.Log2(_resolution) - 2;

    /// <summary>z [N, width] to w [N, styles, width].</summary>
    public Tensor Map(Tensor z)
    {
        var x = z * (z.square().mean([1], keepdim: true) + 1e-8).rsqrt();
        for (var i = 0; i < _mappingLayers; i++)
        {
            var weight = _generator[$"mapping.fc{i}.weight"];
            x = F.leaky_relu(
                F.linear(x, weight * (0.01 / Math.Sqrt(weight.shape[1])), _generator[$"mapping.fc{i}.bias"] * 0.01), 0.2) * Gain;
        }

        return x.unsqueeze(1).repeat(1, StyleCount, 1);
    }

    /// <summary>w [N, styles, width] to images [N, 3, R, R], with random noise.</summary>
    public Tensor Synthesize(Tensor w)
    {
        var x = _generator["synthesis.b4.const"].unsqueeze(0).repeat(w.shape[0], 1, 1, 1);
        Tensor? image = null;
        var next = 0;
        for (var resolution = 4; resolution <= _resolution; resolution *= 2)
        {
            var block = $"synthesis.b{resolution}";
            if (resolution > 4)
                x = Layer($"{block}.conv0", x, w.select(1, next++), doubles: true);
            x = Layer($"{block}.conv1", x, w.select(1, next++), doubles: false);
            var rgb = ToRgb($"{block}.torgb", x, w.select(1, next));
            image = image is null ? rgb : rgb + Double(image);
        }

        return image!;
    }

    /// <summary>Images [N, 3, R, R] to logits [N, 1].</summary>
    public Tensor Discriminate(Tensor images)
    {
        var x = F.leaky_relu(Convolve($"b{_resolution}.fromrgb", images), 0.2) * Gain;
        for (var resolution = _resolution; resolution > 4; resolution /= 2)
        {
            var block = $"b{resolution}";
            var skip = Convolve($"{block}.skip", Filter(x, 1, 2)) * Math.Sqrt(0.5);
            x = F.leaky_relu(Convolve($"{block}.conv0", x, padding: 1), 0.2) * Gain;
            x = F.leaky_relu(Convolve($"{block}.conv1", Filter(x, 2, 1), stride: 2), 0.2) * Gain * Math.Sqrt(0.5);
            x = skip + x;
        }

        var group = Math.Min(4, x.shape[0]);
        var y = x.reshape(group, -1, x.shape[1], 4, 4);
        y = y - y.mean([0], keepdim: true);
        y = (y.square().mean([0]) + 1e-8).sqrt().mean([1, 2, 3]);                       // [groups]
        x = cat([x, y.view(-1, 1, 1, 1).repeat(group, 1, 4, 4)], 1);
        x = F.leaky_relu(Convolve("b4.conv", x, padding: 1), 0.2) * Gain;
        return Linear(_discriminator, "b4.out", F.leaky_relu(Linear(_discriminator, "b4.fc", x.flatten(1)), 0.2) * Gain);
    }

    public void Dispose()
    {
        foreach (var parameter in _generator.Values.Concat(_discriminator.Values))
            parameter.Dispose();
        _filter.Dispose();
    }

    private static Dictionary<string, Parameter> Copy(nn.Module network) =>
        network.named_parameters().ToDictionary(p => p.name, p => new Parameter(p.parameter.detach().clone().DetachFromDisposeScope()));

    private static Tensor Linear(Dictionary<string, Parameter> parameters, string name, Tensor x)
    {
        var weight = parameters[$"{name}.weight"];
        return F.linear(x, weight / Math.Sqrt(weight.shape[1]), parameters[$"{name}.bias"]);
    }

    private Tensor Layer(string name, Tensor x, Tensor w, bool doubles)
    {
        var styles = Linear(_generator, $"{name}.affine", w);
        x = Modulated(x, _generator[$"{name}.weight"], styles, doubles, demodulates: true);
        x = x + randn(x.shape[0], 1, x.shape[2], x.shape[3]) * _generator[$"{name}.noise_strength"];
        return F.leaky_relu(x + _generator[$"{name}.bias"].view(1, -1, 1, 1), 0.2) * Gain;
    }

    private Tensor ToRgb(string name, Tensor x, Tensor w)
    {
        var styles = Linear(_generator, $"{name}.affine", w) / Math.Sqrt(x.shape[1]);
        return Modulated(x, _generator[$"{name}.weight"], styles, doubles: false, demodulates: false)
            + _generator[$"{name}.bias"].view(1, -1, 1, 1);
    }

    private Tensor Modulated(Tensor x, Tensor weight, Tensor styles, bool doubles, bool demodulates)
    {
        var (batch, input, output, kernel) = (x.shape[0], weight.shape[1], weight.shape[0], weight.shape[2]);
        var weights = weight.unsqueeze(0) * styles.view(batch, 1, input, 1, 1);         // [N, output, input, k, k]
        if (demodulates)
            weights = weights * (weights.square().sum([2, 3, 4], keepdim: true) + 1e-8).rsqrt();
        var grouped = x.reshape(1, batch * input, x.shape[2], x.shape[3]);
        if (!doubles)
        {
            var y =
                F.conv2d(grouped, weights.view(batch * output, input, kernel, kernel), padding: [kernel / 2, kernel / 2], groups: batch);
            return y.view(batch, output, y.shape[2], y.shape[3]);
        }

        var up = F.conv_transpose2d(
            grouped, weights.transpose(1, 2).reshape(batch * input, output, kernel, kernel), strides: [2, 2], groups: batch);
        return Filter(up.view(batch, output, up.shape[2], up.shape[3]), 1, 1) * 4;
    }

    private Tensor Convolve(string name, Tensor x, int padding = 0, int stride = 1)
    {
        var weight = _discriminator[$"{name}.weight"];
        return F.conv2d(
            x, weight / Math.Sqrt(weight.shape[1] * weight.shape[2] * weight.shape[3]), _discriminator.GetValueOrDefault($"{name}.bias"),
            strides: [stride, stride], padding: [padding, padding]);
    }

    private Tensor Filter(Tensor x, int padding, int stride) =>
        F.conv2d(x, _filter.expand(x.shape[1], 1, 4, 4), strides: [stride, stride], padding: [padding, padding], groups: x.shape[1]);

    private Tensor Double(Tensor x) =>
        F.conv_transpose2d(x, (_filter * 4).expand(x.shape[1], 1, 4, 4), strides: [2, 2], padding: [1, 1], groups: x.shape[1]);
}
