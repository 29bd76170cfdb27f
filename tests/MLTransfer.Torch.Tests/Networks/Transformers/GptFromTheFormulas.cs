using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>
/// GPT-Neo, GPT-NeoX, GPT-J and OPT written down once more from their definitions, in float64, head by head and without shared code.
/// </summary>
internal sealed class GptFromTheFormulas(JsonObject configuration, Checkpoint weights)
{
    private readonly string _family = configuration["model_type"]!.ToString();

    private int Heads => Whole(_family switch { "gpt_neo" => "num_heads", "gptj" => "n_head", _ => "num_attention_heads" });

    private int Layers => Whole(_family switch { "gpt_neo" => "num_layers", "gptj" => "n_layer", _ => "num_hidden_layers" });

    private Func<Tensor, Tensor> Activation => Formulas.Activation(
        configuration[_family == "gpt_neox" ? "hidden_act" : "activation_function"]!.ToString());

    /// <summary>[T] token ids to [T, vocabulary] logits.</summary>
    public Tensor Logits(Tensor ids)
    {
        var (table, head, final) = _family switch
        {
            "gpt_neox" => ("gpt_neox.embed_in.weight", "embed_out.weight", "gpt_neox.final_layer_norm"),
            "opt" => ("model.decoder.embed_tokens.weight", "lm_head.weight", "model.decoder.final_layer_norm"),
            _ => ("transformer.wte.weight", "lm_head.weight", "transformer.ln_f"),
        };
        var x = W(table)[ids]; // [T, C]
        var isProjected = _family == "opt" && x.shape[1] != Whole("hidden_size");
        if (isProjected)
            x = x.matmul(W("model.decoder.project_in.weight").t());
        if (_family == "gpt_neo")
            x = x + W("transformer.wpe.weight")[arange(ids.shape[0])];
        if (_family == "opt")
            x = x + W("model.decoder.embed_positions.weight")[arange(ids.shape[0]) + 2];
        for (var layer = 0; layer < Layers; layer++)
            x = Block(x, layer);
        if (_family != "opt" || (Flag("do_layer_norm_before", true) && !Flag("_remove_final_layer_norm", false)))
            x = Norm(x, final);
        if (isProjected)
            x = x.matmul(W("model.decoder.project_out.weight").t());
        var logits = x.matmul(W(Flag("tie_word_embeddings", _family is "opt" or "gpt_neo") ? table : head).t());
        return _family == "gptj" ? logits + W("lm_head.bias") : logits;
    }

    private Tensor Block(Tensor x, int layer)
    {
        switch (_family)
        {
            case "gptj":
                var name = $"transformer.h.{layer}";
                var normed = Norm(x, $"{name}.ln_1");
                return x + Attention(normed, $"{name}.attn", "out_proj", layer, hasBias: false, outputBias: false)
                    + Dense(Activation(Dense(normed, $"{name}.mlp.fc_in")), $"{name}.mlp.fc_out");
            case "gpt_neo":
                name = $"transformer.h.{layer}";
                x = x + Attention(Norm(x, $"{name}.ln_1"), $"{name}.attn.attention", "out_proj", layer, hasBias: false, outputBias: true);
                return x + Dense(Activation(Dense(Norm(x, $"{name}.ln_2"), $"{name}.mlp.c_fc")), $"{name}.mlp.c_proj");
            case "gpt_neox":
                name = $"gpt_neox.layers.{layer}";
                var hasBias = Flag("attention_bias", true);
                var attended = Attention(Norm(x, $"{name}.input_layernorm"), $"{name}.attention", "dense", layer, hasBias, hasBias);
                var read = Flag("use_parallel_residual", true) ? x : x + attended;
                var inner = Dense(Norm(read, $"{name}.post_attention_layernorm"), $"{name}.mlp.dense_h_to_4h");
                return x + attended + Dense(Activation(inner), $"{name}.mlp.dense_4h_to_h");
            default:
                name = $"model.decoder.layers.{layer}";
                hasBias = Flag("enable_bias", true);
                if (Flag("do_layer_norm_before", true))
                {
                    x = x + Attention(Norm(x, $"{name}.self_attn_layer_norm"), $"{name}.self_attn", "out_proj", layer, hasBias, hasBias);
                    return x + Feed(Norm(x, $"{name}.final_layer_norm"));
                }

                x = Norm(x + Attention(x, $"{name}.self_attn", "out_proj", layer, hasBias, hasBias), $"{name}.self_attn_layer_norm");
                return Norm(x + Feed(x), $"{name}.final_layer_norm");

                Tensor Feed(Tensor input) => Dense(Activation(Dense(input, $"{name}.fc1", hasBias)), $"{name}.fc2", hasBias);
        }
    }

    private Tensor Attention(Tensor x, string name, string output, int layer, bool hasBias, bool outputBias)
    {
        var (length, width) = (x.shape[0], (int)x.shape[1] / Heads);
        var distance = arange(length).unsqueeze(1) - arange(length).unsqueeze(0);
        var hidden = distance.lt(0);
        if (_family == "gpt_neo" && Kinds[layer] == "local")
            hidden = hidden.logical_or(distance.ge(Whole("window_size")));
        var outputs = new List<Tensor>();
        for (var head = 0; head < Heads; head++)
        {
            Tensor query, key, value;
            if (_family == "gpt_neox")
            {
                var own = Dense(x, $"{name}.query_key_value", hasBias).narrow(1, head * 3 * width, 3 * width);
                (query, key, value) = (own.narrow(1, 0, width), own.narrow(1, width, width), own.narrow(1, 2 * width, width));
            }
            else
            {
                (query, key, value) = (Part("q"), Part("k"), Part("v"));

                Tensor Part(string letter) => Dense(x, $"{name}.{letter}_proj", hasBias).narrow(1, head * width, width);
            }

            var scores = Turned(query).matmul(Turned(key).t()) * (_family == "gpt_neo" ? 1 : 1 / Math.Sqrt(width));
            outputs.Add(scores.masked_fill(hidden, double.NegativeInfinity).softmax(-1).matmul(value));
        }

        return Dense(cat(outputs, 1), $"{name}.{output}", outputBias);
    }

    private List<string> Kinds => configuration["attention_layers"] is JsonArray layers
        ? [.. layers.Select(kind => kind!.ToString())]
        : [.. configuration["attention_types"]!.AsArray().SelectMany(pair =>
            Enumerable.Repeat(pair![0]!.AsArray().Select(kind => kind!.ToString()), pair[1]!.GetValue<int>()).SelectMany(kinds => kinds))];

    /// <summary>GPT-J turns neighbours, GPT-NeoX a value and the one half the width behind it.</summary>
    private Tensor Turned(Tensor head)
    {
        if (_family is not ("gptj" or "gpt_neox"))
            return head;
        var full = (int)head.shape[1];
        var width = _family == "gptj"
            ? configuration.ContainsKey("rotary_dim") ? configuration["rotary_dim"]?.GetValue<int>() ?? full : 64
            : (int)(full * (Number("rotary_pct") ?? Number("partial_rotary_factor") ?? 0.25));
        var theta = _family == "gptj" ? 10000 : Number("rotary_emb_base") ?? Number("rope_theta") ?? 10000;
        var turned = head.clone();
        for (var position = 0; position < head.shape[0]; position++)
        {
            for (var i = 0; i < width / 2; i++)
            {
                var angle = position * Math.Pow(theta, -2.0 * i / width);
                var (first, second) = _family == "gptj" ? (2 * i, 2 * i + 1) : (i, i + width / 2);
                turned[position, first] = head[position, first] * Math.Cos(angle) - head[position, second] * Math.Sin(angle);
                turned[position, second] = head[position, second] * Math.Cos(angle) + head[position, first] * Math.Sin(angle);
            }
        }

        return turned;
    }

    private Tensor Norm(Tensor x, string name)
    {
        var epsilon = Number("layer_norm_epsilon") ?? Number("layer_norm_eps") ?? 1e-5;
        var centered = x - x.mean([-1], keepdim: true);
        var normed = centered / (centered.square().mean([-1], keepdim: true) + epsilon).sqrt();
        return Flag("layer_norm_elementwise_affine", true) ? normed * W($"{name}.weight") + W($"{name}.bias") : normed;
    }

    private Tensor Dense(Tensor x, string name, bool hasBias = true)
    {
        var product = x.matmul(W($"{name}.weight").t());
        return hasBias ? product + W($"{name}.bias") : product;
    }

    private Tensor W(string name) => weights.Read(name).to(ScalarType.Float64);

    private int Whole(string key) => configuration[key]!.GetValue<int>();

    private double? Number(string key) => configuration[key]?.GetValue<double>();

    private bool Flag(string key, bool otherwise) => configuration[key]?.GetValue<bool>() ?? otherwise;
}
