using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>Llama and Mistral, whose queries and keys are reordered, and relatives whose are not: Qwen2, Qwen3 and Phi-3.</summary>
internal static class LlamaGguf
{
    public static GgufArchitecture Llama { get; } = new("llama", ["llama", "mistral"], entries =>
    {
        entries.Has("expert_count"); // 0 in files of dense networks
        var window = entries.OptionalSize("attention.sliding_window");
        var llama = Configure(
            entries, window is null ? "llama" : "mistral", window is null ? "LlamaForCausalLM" : "MistralForCausalLM");
        if (window is not null)
            llama["sliding_window"] = window;
        llama["attention_bias"] = entries.Stores("blk.0.attn_q.bias");
        llama["mlp_bias"] = entries.Stores("blk.0.ffn_up.bias");
        return llama;
    })
    {
        TurnsNeighbours = true,
        TakesDivisors = true,
        Scalings = [typeof(LinearScaling), typeof(YarnScaling), typeof(Llama3Scaling)],
        Biases = GgufBiases.Inputs | GgufBiases.Output | GgufBiases.Feed,
        TellsVocabulary = true,
        TellsSpaces = true,
        TellsTurnedWidth = true,
    };

    public static GgufArchitecture Qwen2 { get; } = new("qwen2", ["qwen2"], entries =>
        WithWindow(entries, Configure(entries, "qwen2", "Qwen2ForCausalLM"))) { Biases = GgufBiases.Inputs };

    public static GgufArchitecture Qwen3 { get; } = new("qwen3", ["qwen3"], entries =>
        WithWindow(entries, Configure(entries, "qwen3", "Qwen3ForCausalLM")));

    public static GgufArchitecture Phi3 { get; } = new("phi3", ["phi3"], entries =>
    {
        var phi = Configure(entries, "phi3", "Phi3ForCausalLM", share: "partial_rotary_factor");
        phi["sliding_window"] = entries.OptionalSize("attention.sliding_window");
        phi["original_max_position_embeddings"] =
            entries.OptionalSize("rope.scaling.original_context_length") ?? entries.Size("context_length");
        return phi;
    })
    {
        Scalings = [typeof(LinearScaling), typeof(YarnScaling), typeof(LongRopeScaling)],
        TurnsParts = true,
        TellsTurnedWidth = true,
    };

    private static JsonObject Configure(GgufEntries entries, string modelType, string model, string? share = null)
    {
        var configuration = entries.Decoder(modelType, model, share);
        configuration["num_key_value_heads"] =
            entries.OptionalSize("attention.head_count_kv") ?? entries.Size("attention.head_count");
        configuration["head_dim"] = entries.OptionalSize("attention.key_length");
        configuration["rms_norm_eps"] = entries.Number("attention.layer_norm_rms_epsilon");
        configuration["rope_scaling"] = entries.RopeScaling();
        return configuration;
    }

    /// <summary>Files do not tell which layers slide: with a window all do.</summary>
    private static JsonObject WithWindow(GgufEntries entries, JsonObject configuration)
    {
        if (entries.OptionalSize("attention.sliding_window") is { } window)
        {
            configuration["sliding_window"] = window;
            configuration["use_sliding_window"] = true;
            configuration["max_window_layers"] = 0;
        }

        return configuration;
    }
}
