using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Codecs.Vqgan;

/// <summary>A VQGAN in plain loops of doubles, written from images.md and the paper, slowly.</summary>
/// <param name="weights">Tensors by name.</param>
/// <param name="configuration">The content of config.json.</param>
internal sealed class VqganFromTheFormulas(IReadOnlyDictionary<string, Tensor> weights, JsonObject configuration)
{
    private readonly Dictionary<string, double[]> _values = weights.ToDictionary(
        w => w.Key, w => w.Value.to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray());

    private JsonNode Sizes => configuration["ddconfig"]!;

    private int[] Multipliers => [.. Sizes["ch_mult"]!.AsArray().Select(m => m!.GetValue<int>())];

    private int Blocks => Sizes["num_res_blocks"]!.GetValue<int>();

    private int Resolution => Sizes["resolution"]!.GetValue<int>();

    private bool HasConvolutions => Sizes["resamp_with_conv"]?.GetValue<bool>() ?? true;

    /// <summary>[channels][height][width] of maps.</summary>
    public double[][][] Encode(double[][][] picture)
    {
        var x = Convolution("encoder.conv_in", picture);
        var side = Resolution;
        for (var level = 0; level < Multipliers.Length; level++)
        {
            x = Level($"encoder.down.{level}", x, Blocks, side);
            if (level == Multipliers.Length - 1)
                break;
            x = Halved($"encoder.down.{level}.downsample.conv", x);
            side /= 2;
        }

        return Convolution("quant_conv", End("encoder", Middle("encoder", x)));
    }

    public double[][][] Decode(double[][][] codewords)
    {
        var x = Middle("decoder", Convolution("decoder.conv_in", Convolution("post_quant_conv", codewords)));
        var side = Resolution;
        for (var level = 1; level < Multipliers.Length; level++)
            side /= 2;
        for (var level = Multipliers.Length - 1; level >= 0; level--)
        {
            x = Level($"decoder.up.{level}", x, Blocks + 1, side);
            if (level == 0)
                break;
            x = Maps(x.Length, 2 * x[0].Length, 2 * x[0][0].Length, (c, i, j) => x[c][i / 2][j / 2]);
            if (HasConvolutions)
                x = Convolution($"decoder.up.{level}.upsample.conv", x);
            side *= 2;
        }

        return End("decoder", x);
    }

    private double[][][] Level(string name, double[][][] x, int blocks, int side)
    {
        for (var block = 0; block < blocks; block++)
        {
            x = Residual($"{name}.block.{block}", x);
            if (Sizes["attn_resolutions"]!.AsArray().Any(r => r!.GetValue<int>() == side))
                x = Attention($"{name}.attn.{block}", x);
        }

        return x;
    }

    private double[][][] Middle(string name, double[][][] x) =>
        Residual($"{name}.mid.block_2", Attention($"{name}.mid.attn_1", Residual($"{name}.mid.block_1", x)));

    private double[][][] End(string name, double[][][] x) => Convolution($"{name}.conv_out", Swish(Normalized($"{name}.norm_out", x)));

    private double[][][] Residual(string name, double[][][] x)
    {
        var inner = Convolution($"{name}.conv1", Swish(Normalized($"{name}.norm1", x)));
        inner = Convolution($"{name}.conv2", Swish(Normalized($"{name}.norm2", inner)));
        return Sum(_values.ContainsKey($"{name}.nin_shortcut.weight") ? Convolution($"{name}.nin_shortcut", x) : x, inner);
    }

    private double[][][] Attention(string name, double[][][] x)
    {
        var normalized = Normalized($"{name}.norm", x);
        var (query, key, value) = (Pixels("q"), Pixels("k"), Pixels("v"));
        var mixed = query.Select(q =>
        {
            double[] scores = [.. key.Select(k => Math.Exp(q.Zip(k, (a, b) => a * b).Sum() / Math.Sqrt(x.Length)))];
            return Enumerable.Range(0, x.Length).Select(c => value.Zip(scores, (v, s) => v[c] * s).Sum() / scores.Sum()).ToArray();
        }).ToArray();
        return Sum(x, Convolution($"{name}.proj_out", Maps(x.Length, x[0].Length, x[0][0].Length,
            (c, i, j) => mixed[i * x[0][0].Length + j][c])));

        double[][] Pixels(string part)
        {
            var maps = Convolution($"{name}.{part}", normalized);
            return [.. Enumerable.Range(0, maps[0].Length * maps[0][0].Length).Select(place =>
                maps.Select(map => map[place / map[0].Length][place % map[0].Length]).ToArray())];
        }
    }

    private double[][][] Halved(string name, double[][][] x) => HasConvolutions
        ? Convolution(name, x, stride: 2, before: 0)
        : Maps(x.Length, x[0].Length / 2, x[0][0].Length / 2, (c, i, j) =>
            (x[c][2 * i][2 * j] + x[c][2 * i + 1][2 * j] + x[c][2 * i][2 * j + 1] + x[c][2 * i + 1][2 * j + 1]) / 4);

    private double[][][] Normalized(string name, double[][][] x)
    {
        var (weight, bias, size) = (_values[name + ".weight"], _values[name + ".bias"], x.Length / 32);
        var moments = x.Chunk(size).Select(group =>
        {
            double[] values = [.. group.SelectMany(map => map.SelectMany(line => line))];
            var mean = values.Average();
            return (mean, values.Average(v => (v - mean) * (v - mean)));
        }).ToArray();
        return Maps(x.Length, x[0].Length, x[0][0].Length, (c, i, j) =>
            (x[c][i][j] - moments[c / size].mean) / Math.Sqrt(moments[c / size].Item2 + 1e-6) * weight[c] + bias[c]);
    }

    private static double[][][] Swish(double[][][] x) =>
        Maps(x.Length, x[0].Length, x[0][0].Length, (c, i, j) => x[c][i][j] / (1 + Math.Exp(-x[c][i][j])));

    private static double[][][] Sum(double[][][] a, double[][][] b) =>
        Maps(a.Length, a[0].Length, a[0][0].Length, (c, i, j) => a[c][i][j] + b[c][i][j]);

    /// <summary>Zeros lie around the maps: <paramref name="before"/> to the left and above, and enough behind.</summary>
    private double[][][] Convolution(string name, double[][][] x, int stride = 1, int? before = null)
    {
        var (weight, bias) = (_values[name + ".weight"], _values[name + ".bias"]);
        var (inputs, kernel) = (x.Length, (int)Math.Sqrt(weight.Length / bias.Length / x.Length));
        var first = before ?? kernel / 2;
        return Maps(bias.Length, x[0].Length / stride, x[0][0].Length / stride, (o, i, j) =>
        {
            var sum = bias[o];
            for (var c = 0; c < inputs; c++)
            {
                for (var a = 0; a < kernel; a++)
                {
                    for (var b = 0; b < kernel; b++)
                    {
                        var (row, column) = (i * stride + a - first, j * stride + b - first);
                        if (row >= 0 && row < x[0].Length && column >= 0 && column < x[0][0].Length)
                            sum += weight[((o * inputs + c) * kernel + a) * kernel + b] * x[c][row][column];
                    }
                }
            }

            return sum;
        });
    }

    private static double[][][] Maps(int channels, int height, int width, Func<int, int, int, double> value) =>
        [.. Enumerable.Range(0, channels).Select(c => Enumerable.Range(0, height)
            .Select(i => Enumerable.Range(0, width).Select(j => value(c, i, j)).ToArray()).ToArray())];
}
