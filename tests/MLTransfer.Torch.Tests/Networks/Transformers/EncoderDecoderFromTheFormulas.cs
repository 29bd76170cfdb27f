using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>T5 and BART written down once more from their definitions, in float64, head by head and without shared code.</summary>
internal sealed class EncoderDecoderFromTheFormulas(JsonObject configuration, Checkpoint weights)
{
    private readonly bool _isT5 = configuration["model_type"]!.ToString() == "t5";

    /// <summary>[S] and [T] token ids to [T, vocabulary] logits.</summary>
    public Tensor Logits(Tensor source, Tensor target)
    {
        var x = Stack("decoder", target, Stack("encoder", source, encoded: null)); // [T, C]
        var isTied = Flag("tie_word_embeddings", true);
        if (_isT5)
            return isTied ? (x * Math.Pow(x.shape[1], -0.5)).matmul(W("shared.weight").t()) : x.matmul(W("lm_head.weight").t());
        return x.matmul(W(isTied ? "model.shared.weight" : "lm_head.weight").t()) + W("final_logits_bias")[0];
    }

    private Tensor Stack(string side, Tensor ids, Tensor? encoded)
    {
        var isDecoder = side == "decoder";
        var length = ids.shape[0];
        if (_isT5)
        {
            var x = W("shared.weight")[ids];
            var (layers, heads) = (Whole(isDecoder && Has("num_decoder_layers") ? "num_decoder_layers" : "num_layers"), Whole("num_heads"));
            for (var layer = 0; layer < layers; layer++)
            {
                var name = $"{side}.block.{layer}.layer";
                var read = Norm(x, $"{name}.0.layer_norm");
                x = x + Attention(read, null, $"{name}.0.SelfAttention", "o", heads, Bias(side, length), isDecoder);
                read = Norm(x, $"{name}.1.layer_norm");
                if (isDecoder)
                {
                    x = x + Attention(read, encoded, $"{name}.1.EncDecAttention", "o", heads, null, isCausal: false);
                    read = Norm(x, $"{name}.2.layer_norm");
                }

                name = $"{name}.{(isDecoder ? 2 : 1)}.DenseReluDense";
                var feed = configuration["feed_forward_proj"]!.ToString();
                var activation = Formulas.Activation(
                    configuration["dense_act_fn"]?.ToString() ?? (feed == "gated-gelu" ? "gelu_new" : feed.Split('-')[^1]));
                var inner = Flag("is_gated_act", feed.StartsWith("gated", StringComparison.Ordinal))
                    ? activation(Dense(read, $"{name}.wi_0")) * Dense(read, $"{name}.wi_1") : activation(Dense(read, $"{name}.wi"));
                x = x + Dense(inner, $"{name}.wo");
            }

            return Norm(x, $"{side}.final_layer_norm");
        }
        else
        {
            var x = W("model.shared.weight")[ids];
            if (Flag("scale_embedding", false))
                x = x * Math.Sqrt(x.shape[1]);
            x = Norm(x + W($"model.{side}.embed_positions.weight")[arange(length) + 2], $"model.{side}.layernorm_embedding");
            for (var layer = 0; layer < Whole($"{side}_layers"); layer++)
            {
                var (name, heads) = ($"model.{side}.layers.{layer}", Whole($"{side}_attention_heads"));
                x = Norm(x + Attention(x, null, $"{name}.self_attn", "out_proj", heads, null, isDecoder), $"{name}.self_attn_layer_norm");
                if (isDecoder)
                {
                    var crossed = Attention(x, encoded, $"{name}.encoder_attn", "out_proj", heads, null, isCausal: false);
                    x = Norm(x + crossed, $"{name}.encoder_attn_layer_norm");
                }

                var activation = Formulas.Activation(configuration["activation_function"]!.ToString());
                x = Norm(x + Dense(activation(Dense(x, $"{name}.fc1")), $"{name}.fc2"), $"{name}.final_layer_norm");
            }

            return x;
        }
    }

    private Tensor Attention(Tensor x, Tensor? encoded, string name, string output, int heads, Tensor? bias, bool isCausal)
    {
        var (read, part) = (encoded ?? x, _isT5 ? "" : "_proj");
        var (queries, keys, values) = (Dense(x, $"{name}.q{part}"), Dense(read, $"{name}.k{part}"), Dense(read, $"{name}.v{part}"));
        var width = queries.shape[1] / heads;
        var outputs = new List<Tensor>();
        for (var head = 0; head < heads; head++)
        {
            var scores = queries.narrow(1, head * width, width).matmul(keys.narrow(1, head * width, width).t());
            if (!_isT5)
                scores = scores / Math.Sqrt(width);
            if (bias is not null)
                scores = scores + bias[head];
            if (isCausal)
                scores = scores + full([x.shape[0], x.shape[0]], double.NegativeInfinity, ScalarType.Float64).triu(1);
            outputs.Add(scores.softmax(-1).matmul(values.narrow(1, head * width, width)));
        }

        return Dense(cat(outputs, 1), $"{name}.{output}");
    }

    /// <summary>[heads, length, length]: exact buckets for small distances, then ever wider ones, half of all for each side in an
    /// encoder.</summary>
    private Tensor Bias(string side, long length)
    {
        var table = W($"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"); // [buckets, heads]
        var (buckets, furthest) = (Whole("relative_attention_num_buckets"), Whole("relative_attention_max_distance"));
        var places = new long[length, length];
        for (var query = 0; query < length; query++)
        {
            for (var key = 0; key < length; key++)
            {
                var count = side == "encoder" ? buckets / 2 : buckets;
                var distance = side == "encoder" ? Math.Abs(query - key) : Math.Max(query - key, 0);
                var place = distance;
                if (distance >= count / 2)
                {
                    var share = Math.Log(distance / (count / 2.0)) / Math.Log(furthest / (count / 2.0));
                    place = Math.Min(count - 1, count / 2 + (int)(share * (count - count / 2) + 1e-6));
                }

                places[query, key] = place + (side == "encoder" && key > query ? count : 0);
            }
        }

        return table[tensor(places)].permute(2, 0, 1);
    }

    private Tensor Norm(Tensor x, string name)
    {
        if (_isT5)
        {
            var epsilon = configuration["layer_norm_epsilon"]!.GetValue<double>();
            return x * (x.square().mean([-1], keepdim: true) + epsilon).rsqrt() * W($"{name}.weight");
        }

        var centered = x - x.mean([-1], keepdim: true);
        return centered * (centered.square().mean([-1], keepdim: true) + 1e-5).rsqrt() * W($"{name}.weight") + W($"{name}.bias");
    }

    private Tensor Dense(Tensor x, string name)
    {
        var product = x.matmul(W($"{name}.weight").t());
        return _isT5 ? product : product + W($"{name}.bias");
    }

    private Tensor W(string name) => weights.Read(name).to(ScalarType.Float64);

    private bool Has(string key) => configuration[key] is not null;

    private int Whole(string key) => configuration[key]!.GetValue<int>();

    private bool Flag(string key, bool otherwise) => configuration[key]?.GetValue<bool>() ?? otherwise;
}
