using System.Text.Json.Nodes;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>Networks that people have, by their sizes alone: they are measured with random weights.</summary>
internal static class ModelShapes
{
    public const string Gpt2 = "gpt2";
    public const string SmolLM2 = "smollm2-135m";
    public const string Qwen3 = "qwen3-0.6b";
    public const string Qwen2 = "qwen2-1.5b";

    public static IReadOnlyDictionary<string, (string Name, JsonObject Configuration)> All { get; } =
        new Dictionary<string, (string, JsonObject)>
        {
            [Gpt2] = ("GPT-2 124M", new()
            {
                ["model_type"] = "gpt2", ["vocab_size"] = 50257, ["n_positions"] = 1024, ["n_embd"] = 768, ["n_layer"] = 12,
                ["n_head"] = 12,
            }),
            [SmolLM2] = ("SmolLM2-135M", Gated("llama", layers: 30, width: 576, heads: 9, keyValueHeads: 3, inner: 1536, 49_152)),
            [Qwen3] = ("Qwen3-0.6B", Gated("qwen3", layers: 28, width: 1024, heads: 16, keyValueHeads: 8, inner: 3072, 151_936, 128)),
            [Qwen2] = ("Qwen2-1.5B", Gated("qwen2", layers: 28, width: 1536, heads: 12, keyValueHeads: 2, inner: 8960, 151_936)),
        };

    private static JsonObject Gated(
        string modelType, int layers, int width, int heads, int keyValueHeads, int inner, int vocabulary, int? headWidth = null)
    {
        var configuration = new JsonObject
        {
            ["model_type"] = modelType, ["vocab_size"] = vocabulary, ["max_position_embeddings"] = 8192, ["hidden_size"] = width,
            ["num_hidden_layers"] = layers, ["num_attention_heads"] = heads, ["num_key_value_heads"] = keyValueHeads,
            ["intermediate_size"] = inner, ["hidden_act"] = "silu", ["tie_word_embeddings"] = true,
        };
        if (headWidth is { } given)
            configuration["head_dim"] = given;
        return configuration;
    }
}
