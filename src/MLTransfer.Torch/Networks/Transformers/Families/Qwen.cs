using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Qwen2 (arXiv 2407.10671) and Qwen3 (arXiv 2505.09388): Llama with biases, or with norms, of queries and keys.</summary>
internal static class Qwen
{
    private static readonly LlamaDefaults s_defaults =
        new() { Vocabulary = 151936, Inner = 22016, KeyValueHeads = 32, Context = 32768 };

    public static Family Qwen2 { get; } = Llama.Row("qwen2", "Qwen2ForCausalLM", c =>
        WithWindows(c, Llama.Describe(c, s_defaults))
            .WithAttention((attention, _) => attention with { Inputs = attention.Inputs.WithBias(true) }));

    public static Family Qwen3 { get; } = Llama.Row("qwen3", "Qwen3ForCausalLM", c =>
    {
        var epsilon = c.Positive("rms_norm_eps", 1e-6);
        return WithWindows(c, Llama.Describe(c, s_defaults with { HeadWidth = 128 })).WithAttention((attention, layer) => attention with
        {
            QueryNorm = new Norm($"model.layers.{layer}.self_attn.q_norm", NormKind.RootMeanSquare, epsilon, HasBias: false),
            KeyNorm = new Norm($"model.layers.{layer}.self_attn.k_norm", NormKind.RootMeanSquare, epsilon, HasBias: false),
        });
    });

    private static Transformer WithWindows(ConfigurationReader c, Transformer llama)
    {
        var (isUsed, from) = (c.Flag("use_sliding_window", false), c.Count("max_window_layers", 28));
        var windows = WindowEntries.Read(c, llama.Decoder!.Blocks.Length, layer => isUsed && layer >= from, otherwise: 4096);
        if (!isUsed && windows.Any(window => window is not null))
            throw c.Invalid("layer_types has sliding_attention where use_sliding_window is false");
        return llama.WithAttention((attention, layer) => attention with { Window = windows[layer] });
    }
}
