using System.Text.Json.Nodes;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>GPT-2: queries, keys and values stay one tensor, and nothing of rotations is told.</summary>
internal static class Gpt2Gguf
{
    public static GgufArchitecture Architecture { get; } = new("gpt2", ["gpt2"], Configure)
    {
        // llama.cpp has the approximation alone.
        Activations = [Activation.GeluTanh, Activation.Gelu],
        Biases = GgufBiases.Needed,
        TellsHeads = false,
    };

    private static JsonObject Configure(GgufEntries entries) => new()
    {
        ["model_type"] = "gpt2",
        ["architectures"] = new JsonArray("GPT2LMHeadModel"),
        ["n_embd"] = entries.Size("embedding_length"),
        ["n_inner"] = entries.Size("feed_forward_length"),
        ["n_layer"] = entries.Size("block_count"),
        ["n_head"] = entries.Size("attention.head_count"),
        ["n_positions"] = entries.Size("context_length"),
        ["vocab_size"] = entries.Vocabulary,
        ["layer_norm_epsilon"] = entries.Number("attention.layer_norm_epsilon"),
        ["tie_word_embeddings"] = !entries.Stores(GgufParameters.OutputWeight),
    };
}
