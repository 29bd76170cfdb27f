using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Dalle;

/// <summary>The transformer written down once more from its definition, in double, position by position and number by number.</summary>
internal sealed class DalleFromTheFormulas
{
    private readonly Dictionary<string, double[]> _weights = [];
    private readonly JsonObject _sizes;
    private readonly int _side;
    private readonly int _textLength;
    private readonly int _textTokens;
    private readonly int _width;
    private readonly int _heads;
    private readonly int _headWidth;

    /// <param name="sizes">The <c>hparams</c>.</param>
    /// <param name="weights">A saved model.</param>
    /// <param name="side">Codes along the picture's side.</param>
    /// <param name="codes">Codewords.</param>
    public DalleFromTheFormulas(JsonObject sizes, Checkpoint weights, int side, int codes)
    {
        foreach (var name in weights.Tensors.Keys.Where(name => !name.StartsWith("vae.", StringComparison.Ordinal)))
            _weights.Add(Regex.Replace(name, @"\.fn(?=\.)", ""), [.. weights.Read(name).to(ScalarType.Float64).data<double>()]);
        (_sizes, _side) = (sizes, side);
        _textLength = Whole("text_seq_len", 256);
        _textTokens = Whole("num_text_tokens", 10000);
        _width = Whole("dim", 0);
        _heads = Whole("heads", 8);
        _headWidth = Whole("dim_head", 64);
    }

    private int TextPositions => _textLength + 1;

    private int TextRows => _textTokens + _textLength;

    /// <summary>For each position the logits of text tokens and codes; those that may not be drawn are negative infinity.</summary>
    public double[][] Logits(int[] text, int[] codes)
    {
        var x = Embed(text, codes);
        if (Flag("reversible", false))
        {
            var y = x;
            for (var layer = 0; layer < Whole("depth", 0); layer++)
            {
                x = Sum(x, Part(y, layer, isAttention: true));
                y = Sum(y, Part(x, layer, isAttention: false));
            }

            x = [.. x.Zip(y, (a, b) => a.Zip(b, (p, q) => (p + q) / 2).ToArray())];
        }
        else
        {
            for (var layer = 0; layer < Whole("depth", 0); layer++)
            {
                x = Sum(x, Part(x, layer, isAttention: true));
                x = Sum(x, Part(x, layer, isAttention: false));
            }
        }

        if (Flag("stable", false))
            x = [.. x.Select(row => row.Select(value => value / row.Max()).ToArray())];
        x = [.. x.Select(row => Dense(Norm(row, "to_logits.0"), "to_logits.1"))];
        return [.. x.Select((row, n) => row.Select((value, id) => n < _textLength == id < TextRows ? value : double.NegativeInfinity)
            .ToArray())];
    }

    private double[][] Embed(int[] text, int[] codes)
    {
        var isShared = Flag("share_input_output_emb", false);
        var (textTable, imageTable) = isShared
            ? (W("to_logits.1.weight"), W("to_logits.1.weight").Skip(TextRows * _width).ToArray())
            : (W("text_emb.weight"), W("image_emb.weight"));
        var rows = new List<double[]> { Row(textTable, 0) };
        rows.AddRange(text.Select((id, place) => Row(textTable, id == 0 ? _textTokens + place : id)));
        var hasTables = !Flag("rotary_emb", true);
        if (hasTables)
            rows = [.. rows.Select((row, place) => Sum([row], [Row(W("text_pos_emb.weight"), place)])[0])];
        foreach (var (place, code) in codes.Take(_side * _side - 1).Index())
        {
            var row = Row(imageTable, code);
            if (hasTables)
            {
                row = Sum([row], [Row(W("image_pos_emb.weights.0"), place / _side)])[0];
                row = Sum([row], [Row(W("image_pos_emb.weights.1"), place % _side)])[0];
            }

            rows.Add(row);
        }

        return [.. rows];
    }

    private double[][] Part(double[][] x, int layer, bool isAttention)
    {
        var name = Flag("reversible", false)
            ? $"transformer.layers.blocks.{layer}.{(isAttention ? "f" : "g")}.net"
            : $"transformer.layers.layers.{layer}.{(isAttention ? "0" : "1")}";
        var read = x.Select(row => Norm(row, $"{name}.norm")).ToArray();
        if (Flag("shift_tokens", true))
            read = Shifted(read);
        var written = isAttention ? Attention(read, name, layer) : [.. read.Select(row => Feed(row, name))];
        if (Flag("sandwich_norm", false))
            written = [.. written.Select(row => Norm(row, $"{name}.norm_out"))];
        return [.. written.Select(row => row.Zip(W($"{name}.scale"), (value, scale) => value * scale).ToArray())];
    }

    private double[] Feed(double[] x, string name)
    {
        var both = Dense(x, $"{name}.net.0");
        var inner = both.Length / 2;
        using var gates = tensor(both[inner..]);
        using var probabilities = special.erf(gates / Math.Sqrt(2));
        var phi = probabilities.data<double>().ToArray();
        return Dense([.. phi.Select((erf, i) => both[i] * both[inner + i] * 0.5 * (1 + erf))], $"{name}.net.3");
    }

    private double[][] Attention(double[][] x, string name, int layer)
    {
        var inner = _heads * _headWidth;
        var packed = x.Select(row => Product(row, W($"{name}.to_qkv.weight"))).ToArray();
        var output = x.Select(_ => new double[inner]).ToArray();
        for (var head = 0; head < _heads; head++)
        {
            double[][] Of(int kind) =>
                [.. packed.Select((row, n) => Turned(row.AsSpan(kind * inner + head * _headWidth, _headWidth).ToArray(), n))];

            var (queries, keys, values) = (Of(0), Of(1), Of(2));
            for (var n = 0; n < x.Length; n++)
            {
                var seen = Enumerable.Range(0, n + 1).Where(m => Sees(n, m, layer)).ToArray();
                var scores = seen.Select(m => queries[n].Zip(keys[m], (q, k) => q * k).Sum() / Math.Sqrt(_headWidth)).ToArray();
                var weights = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
                for (var i = 0; i < _headWidth; i++)
                    output[n][head * _headWidth + i] = seen.Select((m, at) => weights[at] * values[m][i]).Sum() / weights.Sum();
            }
        }

        return [.. output.Select(row => Dense(row, $"{name}.to_out.0"))];
    }

    private bool Sees(int n, int m, int layer)
    {
        if (m < TextPositions)
            return true;
        var kinds = _sizes["attn_types"]?.AsArray().Select(kind => kind!.GetValue<string>()).ToArray() ?? ["full"];
        var (y, x) = Math.DivRem(n - TextPositions, _side);
        var (keyY, keyX) = Math.DivRem(m - TextPositions, _side);
        return kinds[layer % kinds.Length] switch
        {
            "full" => true,
            "axial_row" => y == keyY,
            "axial_col" => x == keyX,
            "conv_like" => keyY >= y - 4 && keyX >= x - 4 && keyX <= x,
            var other => throw new ArgumentException(other),
        };
    }

    private double[] Turned(double[] head, int n)
    {
        if (!Flag("rotary_emb", true))
            return head;
        var r = _headWidth / 3;
        var f = r / 2;
        var isText = n < TextPositions;
        var (y, x) = Math.DivRem(Math.Max(0, n - TextPositions), _side);
        double Place(int index) => _side == 1 ? -1 : -1 + 2.0 * index / (_side - 1);
        double Frequency(int k) => (float)(Math.PI * (f == 1 ? 1 : 1 + 4.0 * k / (f - 1)));
        for (var k = 0; k < f; k++)
        {
            Turn(k, (isText ? n : 8192) * (double)(float)Math.Pow(10000, -2.0 * k / r));
            Turn(f + k, (isText ? -10 : Place(y)) * Frequency(k));
            Turn(2 * f + k, (isText ? -10 : Place(x)) * Frequency(k));
        }

        return head;

        void Turn(int pair, double exact)
        {
            double angle = (float)exact; // as it is in files: 8192 has few digits behind the point
            var (a, b) = (head[2 * pair], head[2 * pair + 1]);
            head[2 * pair] = a * Math.Cos(angle) - b * Math.Sin(angle);
            head[2 * pair + 1] = b * Math.Cos(angle) + a * Math.Sin(angle);
        }
    }

    private double[][] Shifted(double[][] x)
    {
        var (half, quarter) = ((_width + 1) / 2, (_width + 3) / 4);
        var nothing = new double[_width];
        return [.. x.Select((row, n) => row.Select((value, channel) =>
        {
            if (n < TextPositions)
                return channel < half ? (n == 0 ? nothing : x[n - 1])[channel] : value;
            var code = n - TextPositions;
            if (channel < quarter)
                return (code < _side ? nothing : x[n - _side])[channel];
            return channel < 2 * quarter ? (code % _side == 0 ? nothing : x[n - 1])[channel] : value;
        }).ToArray())];
    }

    private double[] Norm(double[] x, string name)
    {
        var mean = x.Average();
        var deviation = Math.Sqrt(x.Average(value => (value - mean) * (value - mean)) + 1e-5);
        return [.. x.Select((value, i) => (value - mean) / deviation * W($"{name}.weight")[i] + W($"{name}.bias")[i])];
    }

    private double[] Dense(double[] x, string name) =>
        [.. Product(x, W($"{name}.weight")).Zip(W($"{name}.bias"), (product, bias) => product + bias)];

    private static double[] Product(double[] x, double[] matrix) =>
        [.. Enumerable.Range(0, matrix.Length / x.Length).Select(row => x.Select((value, i) => value * matrix[row * x.Length + i]).Sum())];

    private double[] Row(double[] table, int row) => table.AsSpan(row * _width, _width).ToArray();

    private static double[][] Sum(double[][] first, double[][] second) =>
        [.. first.Zip(second, (a, b) => a.Zip(b, (p, q) => p + q).ToArray())];

    private double[] W(string name) => _weights[name];

    private int Whole(string key, int otherwise) => _sizes[key]?.GetValue<int>() ?? otherwise;

    private bool Flag(string key, bool otherwise) => _sizes[key]?.GetValue<bool>() ?? otherwise;
}
