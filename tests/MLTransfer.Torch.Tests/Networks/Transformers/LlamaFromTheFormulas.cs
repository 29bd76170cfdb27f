using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>
/// Llama and its relatives written down once more from their definitions, in float64, head by head and without shared code: what entries
/// mean in combinations that no reference file has. Scalings of the rotation are left to the reference files.
/// </summary>
internal sealed class LlamaFromTheFormulas(JsonObject configuration, Checkpoint weights)
{
    private readonly string _family = configuration["model_type"]!.ToString();

    private bool IsGemma => _family.StartsWith("gemma", StringComparison.Ordinal);

    private int Heads => Whole("num_attention_heads")!.Value;

    private int HeadWidth => Whole("head_dim") ?? Whole("hidden_size")!.Value / Heads;

    /// <summary>[T] token ids to [T, vocabulary] logits.</summary>
    public Tensor Logits(Tensor ids)
    {
        const string table = "model.embed_tokens.weight";
        var x = W(table)[ids]; // [T, C]
        if (IsGemma)
            x = x * Math.Sqrt(x.shape[1]);
        for (var layer = 0; layer < Whole("num_hidden_layers"); layer++)
        {
            var name = $"model.layers.{layer}";
            var attended = Attention(Norm(x, $"{name}.input_layernorm"), $"{name}.self_attn", layer);
            x = x + (IsGemma ? Norm(attended, $"{name}.post_attention_layernorm") : attended);
            var before = IsGemma ? "pre_feedforward_layernorm" : "post_attention_layernorm";
            var fed = FeedForward(Norm(x, $"{name}.{before}"), $"{name}.mlp");
            x = x + (IsGemma ? Norm(fed, $"{name}.post_feedforward_layernorm") : fed);
        }

        var isTied = Flag("tie_word_embeddings", IsGemma || _family == "smollm3");
        return Capped(Norm(x, "model.norm").matmul(W(isTied ? table : "lm_head.weight").t()), "final_logit_softcapping", 30);
    }

    private Tensor Attention(Tensor x, string name, int layer)
    {
        var (length, keyHeads) = (x.shape[0], Whole("num_key_value_heads") ?? Heads);
        var hasBias = Flag("attention_bias", false);
        Tensor queries, keys, values;
        if (_family == "phi3")
        {
            var all = Dense(x, $"{name}.qkv_proj", hasBias: false);
            queries = all.narrow(1, 0, Heads * HeadWidth);
            keys = all.narrow(1, Heads * HeadWidth, keyHeads * HeadWidth);
            values = all.narrow(1, (Heads + keyHeads) * HeadWidth, keyHeads * HeadWidth);
        }
        else
        {
            queries = Dense(x, $"{name}.q_proj", hasBias || _family == "qwen2");
            keys = Dense(x, $"{name}.k_proj", hasBias || _family == "qwen2");
            values = Dense(x, $"{name}.v_proj", hasBias || _family == "qwen2");
        }

        var distance = arange(length).unsqueeze(1) - arange(length).unsqueeze(0); // of a key, to the left
        var hidden = distance.lt(0);
        if (Slides(layer))
            hidden = hidden.logical_or(distance.ge(Whole("sliding_window")!.Value));
        var scale = IsGemma ? Math.Pow(Number("query_pre_attn_scalar", 256), -0.5) : 1 / Math.Sqrt(HeadWidth);
        var outputs = new List<Tensor>();
        for (var head = 0; head < Heads; head++)
        {
            var query = Turned(HeadNorm(queries.narrow(1, head * HeadWidth, HeadWidth), $"{name}.q_norm"), layer);
            var start = head / (Heads / keyHeads) * HeadWidth;
            var key = Turned(HeadNorm(keys.narrow(1, start, HeadWidth), $"{name}.k_norm"), layer);
            var scores = Capped(query.matmul(key.t()) * scale, "attn_logit_softcapping", 50);
            outputs.Add(scores.masked_fill(hidden, double.NegativeInfinity).softmax(-1).matmul(values.narrow(1, start, HeadWidth)));
        }

        return Dense(cat(outputs, 1), $"{name}.o_proj", hasBias);
    }

    private bool Slides(int layer)
    {
        if (_family is "llama" || (_family != "gemma2" && _family != "gemma3_text" && configuration["sliding_window"] is null))
            return false;
        if (_family is "mistral" or "phi3")
            return true;
        if (configuration["layer_types"] is JsonArray types)
            return types[layer]!.ToString() == "sliding_attention";
        return _family switch
        {
            "gemma2" => layer % 2 == 0,
            "gemma3_text" => (layer + 1) % Whole("sliding_window_pattern")!.Value != 0,
            "smollm3" => Flag("use_sliding_window", false) && !HasRotary(layer),
            _ => Flag("use_sliding_window", false) && layer >= Whole("max_window_layers"),
        };
    }

    private bool HasRotary(int layer) => _family != "smollm3" || (configuration["no_rope_layers"] is JsonArray list
        ? list[layer]!.GetValue<int>() == 1 : (layer + 1) % Whole("no_rope_layer_interval")!.Value != 0);

    /// <summary>[T, head width]: pairs (i, i + d/2) of the first d values turned by position theta^(-2i/d).</summary>
    private Tensor Turned(Tensor head, int layer)
    {
        if (!HasRotary(layer))
            return head;
        var theta = Number("rope_theta", _family == "gemma3_text" ? 1e6 : _family == "smollm3" ? 2e6 : 10000);
        if (_family == "gemma3_text" && Slides(layer))
            theta = Number("rope_local_base_freq", 10000);
        if (configuration["rope_parameters"] is JsonObject sets)
            theta = (sets[Slides(layer) ? "sliding_attention" : "full_attention"] ?? sets)["rope_theta"]!.GetValue<double>();
        var width = (int)(HeadWidth * Number("partial_rotary_factor", 1));
        var turned = head.clone();
        for (var position = 0; position < head.shape[0]; position++)
        {
            for (var i = 0; i < width / 2; i++)
            {
                var angle = position * Math.Pow(theta, -2.0 * i / width);
                var (a, b) = (head[position, i], head[position, i + width / 2]);
                turned[position, i] = a * Math.Cos(angle) - b * Math.Sin(angle);
                turned[position, i + width / 2] = b * Math.Cos(angle) + a * Math.Sin(angle);
            }
        }

        return turned;
    }

    private Tensor FeedForward(Tensor x, string name)
    {
        var hasBias = Flag("mlp_bias", false);
        var parts = _family == "phi3" ? Dense(x, $"{name}.gate_up_proj", hasBias: false).chunk(2, 1)
            : [Dense(x, $"{name}.gate_proj", hasBias), Dense(x, $"{name}.up_proj", hasBias)];
        var activation = Formulas.Activation(configuration[IsGemma ? "hidden_activation" : "hidden_act"]!.ToString());
        return Dense(activation(parts[0]) * parts[1], $"{name}.down_proj", _family != "phi3" && hasBias);
    }

    private Tensor Capped(Tensor scores, string key, double otherwise)
    {
        var cap = configuration.ContainsKey(key) ? configuration[key]?.GetValue<double>() : _family == "gemma2" ? otherwise : null;
        return cap is { } limit ? (scores / limit).tanh() * limit : scores;
    }

    private Tensor HeadNorm(Tensor head, string name) => _family is "qwen3" or "gemma3_text" ? Norm(head, name) : head;

    private Tensor Norm(Tensor x, string name) => x * (x.square().mean([-1], keepdim: true) + Number("rms_norm_eps", 1e-6)).rsqrt()
        * (IsGemma ? W($"{name}.weight") + 1 : W($"{name}.weight"));

    private Tensor Dense(Tensor x, string name, bool hasBias)
    {
        var product = x.matmul(W($"{name}.weight").t());
        return hasBias ? product + W($"{name}.bias") : product;
    }

    private Tensor W(string name) => weights.Read(name).to(ScalarType.Float64);

    private int? Whole(string key) => configuration[key]?.GetValue<int>();

    private double Number(string key, double otherwise) => configuration[key]?.GetValue<double>() ?? otherwise;

    private bool Flag(string key, bool otherwise) => configuration[key]?.GetValue<bool>() ?? otherwise;
}
