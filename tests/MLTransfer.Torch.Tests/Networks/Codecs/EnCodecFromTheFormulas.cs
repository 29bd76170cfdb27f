using MLTransfer.Torch.Networks.Codecs.EnCodec;
using TorchSharp;

namespace MLTransfer.Torch.Tests.Networks.Codecs;

/// <summary>
/// An EnCodec in float64, one sound at a time, written down from arXiv 2210.13438 and the conventions of transformers' layout. A sequence
/// is an array of channels, each an array of steps.
/// </summary>
internal sealed class EnCodecFromTheFormulas(EnCodecModel codec)
{
    private readonly EnCodecConfiguration _c = codec.Sizes;
    private readonly Dictionary<string, (long[] Shape, double[] Values)> _weights = codec.CheckpointTensors().ToDictionary(
        t => t.Key, t => (t.Value.shape, t.Value.to(torch.ScalarType.Float64).data<double>().ToArray()));

    public double[][] Encode(double[][] sound)
    {
        var (place, filters) = (0, _c.Filters);
        var x = Convolve($"encoder.layers.{place++}", sound, 1, 1);
        foreach (var ratio in _c.Ratios.Reverse())
        {
            for (var unit = 0; unit < _c.ResidualUnits; unit++)
                x = Residual($"encoder.layers.{place++}", x, (int)Math.Pow(_c.DilationGrowth, unit));
            place++;
            x = Convolve($"encoder.layers.{place++}", Elu(x), ratio, 1);
            filters *= 2;
        }

        x = Recur($"encoder.layers.{place++}.lstm", x);
        place++;
        return Convolve($"encoder.layers.{place}", Elu(x), 1, 1);
    }

    public double[][] Decode(double[][] vectors)
    {
        var place = 0;
        var x = Convolve($"decoder.layers.{place++}", vectors, 1, 1);
        x = Recur($"decoder.layers.{place++}.lstm", x);
        foreach (var ratio in _c.Ratios)
        {
            place++;
            x = Transpose($"decoder.layers.{place++}", Elu(x), ratio);
            for (var unit = 0; unit < _c.ResidualUnits; unit++)
                x = Residual($"decoder.layers.{place++}", x, (int)Math.Pow(_c.DilationGrowth, unit));
        }

        place++;
        return Convolve($"decoder.layers.{place}", Elu(x), 1, 1);
    }

    private double[][] Residual(string name, double[][] x, int dilation)
    {
        var inside = Convolve(name + ".block.3", Elu(Convolve(name + ".block.1", Elu(x), 1, dilation)), 1, 1);
        var beside = _c.HasShortcutConvolution ? Convolve(name + ".shortcut", x, 1, 1) : x;
        return [.. inside.Zip(beside, (a, b) => a.Zip(b, (u, v) => u + v).ToArray())];
    }

    private double[][] Convolve(string name, double[][] x, int stride, int dilation)
    {
        var (shape, weight) = Weight(name); // [output, input, kernel]
        var bias = _weights[name + ".conv.bias"].Values;
        var (inputs, kernel, length) = ((int)shape[1], (int)shape[2], x[0].Length);
        var total = (kernel - 1) * dilation + 1 - stride;
        var right = _c.IsCausal ? 0 : total / 2;
        var steps = (int)Math.Ceiling((double)length / stride);
        var padded = x.Select(channel => Pad(channel, total - right, right + steps * stride - length)).ToArray();
        var output = new double[shape[0]][];
        for (var o = 0; o < output.Length; o++)
        {
            output[o] = new double[steps];
            for (var t = 0; t < steps; t++)
            {
                var sum = bias[o];
                for (var i = 0; i < inputs; i++)
                {
                    for (var k = 0; k < kernel; k++)
                        sum += weight[(o * inputs + i) * kernel + k] * padded[i][t * stride + k * dilation];
                }

                output[o][t] = sum;
            }
        }

        return Norm(name, output);
    }

    private double[][] Transpose(string name, double[][] x, int stride)
    {
        var (shape, weight) = Weight(name); // [input, output, kernel]
        var (outputs, kernel, length) = ((int)shape[1], (int)shape[2], x[0].Length);
        var bias = _weights[name + ".conv.bias"].Values;
        var output = bias.Select(b => Enumerable.Repeat(b, (length - 1) * stride + kernel).ToArray()).ToArray();
        for (var i = 0; i < x.Length; i++)
        {
            for (var o = 0; o < outputs; o++)
            {
                for (var t = 0; t < length; t++)
                {
                    for (var k = 0; k < kernel; k++)
                        output[o][t * stride + k] += x[i][t] * weight[(i * outputs + o) * kernel + k];
                }
            }
        }

        var cut = kernel - stride;
        var right = _c.IsCausal ? (int)Math.Ceiling(cut * _c.TrimRightRatio) : cut / 2;
        return [.. Norm(name, output).Select(channel => channel[(cut - right)..^right])];
    }

    private double[][] Norm(string name, double[][] x)
    {
        if (_c.HasWeightNorm)
            return x;
        var (weight, bias) = (_weights[name + ".norm.weight"].Values, _weights[name + ".norm.bias"].Values);
        var mean = x.SelectMany(channel => channel).Average();
        var deviation = Math.Sqrt(x.SelectMany(channel => channel).Average(v => (v - mean) * (v - mean)) + 1e-5);
        return [.. x.Select((channel, c) => channel.Select(v => (v - mean) / deviation * weight[c] + bias[c]).ToArray())];
    }

    private (long[] Shape, double[] Values) Weight(string name)
    {
        if (!_c.HasWeightNorm)
            return _weights[name + ".conv.weight"];
        var length = _weights[name + ".conv.parametrizations.weight.original0"].Values;
        var (shape, direction) = _weights[name + ".conv.parametrizations.weight.original1"];
        var row = direction.Length / length.Length;
        return (shape, [.. direction.Select((v, i) =>
            v * length[i / row] / Math.Sqrt(direction.Skip(i / row * row).Take(row).Sum(u => u * u)))]);
    }

    private double[][] Recur(string name, double[][] x)
    {
        var (width, length) = (x.Length, x[0].Length);
        var below = Enumerable.Range(0, length).Select(t => x.Select(channel => channel[t]).ToArray()).ToArray();
        for (var layer = 0; layer < _c.RecurrentLayers; layer++)
        {
            var (wi, wh) = (_weights[$"{name}.weight_ih_l{layer}"].Values, _weights[$"{name}.weight_hh_l{layer}"].Values);
            var (bi, bh) = (_weights[$"{name}.bias_ih_l{layer}"].Values, _weights[$"{name}.bias_hh_l{layer}"].Values);
            var (state, cell) = (new double[width], new double[width]);
            var above = new double[length][];
            for (var t = 0; t < length; t++)
            {
                var gates = Enumerable.Range(0, 4 * width).Select(g => bi[g] + bh[g] + Enumerable.Range(0, width).Sum(
                    i => wi[g * width + i] * below[t][i] + wh[g * width + i] * state[i])).ToArray();
                cell = [.. cell.Select((c, i) =>
                    Sigmoid(gates[width + i]) * c + Sigmoid(gates[i]) * Math.Tanh(gates[2 * width + i]))];
                above[t] = state = [.. cell.Select((c, i) => Sigmoid(gates[3 * width + i]) * Math.Tanh(c))];
            }

            below = above;
        }

        return [.. x.Select((channel, c) => channel.Select((v, t) => v + below[t][c]).ToArray())];
    }

    private double[] Pad(double[] x, int left, int right)
    {
        // What is too short to be reflected gets zeros first, and as many steps are cut off at the end.
        var missing = _c.Padding == PaddingModes.Reflect ? Math.Max(0, Math.Max(left, right) + 1 - x.Length) : 0;
        double[] longer = [.. x, .. new double[missing]];
        return [.. Enumerable.Range(-left, left + x.Length + right).Select(t => _c.Padding switch
        {
            PaddingModes.Constant => t >= 0 && t < x.Length ? x[t] : 0,
            PaddingModes.Replicate => x[Math.Clamp(t, 0, x.Length - 1)],
            _ => longer[t < 0 ? -t : t < longer.Length ? t : 2 * (longer.Length - 1) - t],
        })];
    }

    private static double[][] Elu(double[][] x) => [.. x.Select(c => c.Select(v => v > 0 ? v : Math.Exp(v) - 1).ToArray())];

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
