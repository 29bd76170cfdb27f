using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Gemma 2 (arXiv 2408.00118) and Gemma 3 for texts (arXiv 2503.19786): Llama with norms on both sides of sublayers and 1 +
/// weight in them.</summary>
internal static class Gemma
{
    public static Family Gemma2 { get; } = Llama.Row("gemma2", "Gemma2ForCausalLM", c =>
    {
        var gemma = Describe(c);
        var windows = WindowEntries.Read(c, gemma.Decoder!.Blocks.Length, slides: layer => layer % 2 == 0, otherwise: 4096);
        return gemma.WithAttention((attention, layer) => attention with { Window = windows[layer] });
    });

    public static Family Gemma3 { get; } = Llama.Row("gemma3_text", "Gemma3ForCausalLM", c =>
    {
        c.Refuse("use_bidirectional_attention", "attention in both directions is not supported");
        var gemma = Describe(c);
        var pattern = c.OptionalSize("sliding_window_pattern") ?? c.Size("_sliding_window_pattern", 6);
        var windows = WindowEntries.Read(c, gemma.Decoder!.Blocks.Length, layer => (layer + 1) % pattern != 0, otherwise: 4096);
        var head = gemma.Decoder.Blocks[0].Self.HeadWidth;
        var (far, near) = (RotaryEntries.Read(c, head, 1e6, "full_attention"), c.Has("rope_parameters")
            ? RotaryEntries.Read(c, head, 10000, "sliding_attention")
            : new Rotary(head, c.Positive("rope_local_base_freq", 10000), Pairing.Halves));
        return gemma.WithAttention((attention, layer) => attention with
        {
            Window = windows[layer],
            Rotary = windows[layer] is null ? far : near,
            QueryNorm = Norm(c, $"model.layers.{layer}.self_attn.q_norm"),
            KeyNorm = Norm(c, $"model.layers.{layer}.self_attn.k_norm"),
        });
    });

    private static Transformer Describe(ConfigurationReader c)
    {
        var width = c.Size("hidden_size", 2304);
        var activation = c.Activation(c.Has("hidden_activation") ? "hidden_activation" : "hidden_act", "gelu_pytorch_tanh");
        return Llama.Describe(c, isTied: true, headWidth: 256).WithDecoder(stack => stack with
        {
            Input = stack.Input with { Scale = Math.Sqrt(width) },
            Final = Norm(c, "model.norm"),
            Heads = [stack.Heads[0] with { SoftCap = c.OptionalNumber("final_logit_softcapping") }],
        }).WithBlocks((block, layer) => block with
        {
            Self = block.Self with
            {
                Scale = 1 / Math.Sqrt(c.Positive("query_pre_attn_scalar", 256)),
                SoftCap = c.OptionalNumber("attn_logit_softcapping"),
                Before = Norm(c, $"model.layers.{layer}.input_layernorm"),
                OnOutput = Norm(c, $"model.layers.{layer}.post_attention_layernorm"),
            },
            Feed = block.Feed with
            {
                Activation = activation,
                Before = Norm(c, $"model.layers.{layer}.pre_feedforward_layernorm"),
                OnOutput = Norm(c, $"model.layers.{layer}.post_feedforward_layernorm"),
            },
        });
    }

    private static Norm Norm(ConfigurationReader c, string name) =>
        new(name, NormKind.RootMeanSquareOnePlus, c.Positive("rms_norm_eps", 1e-6), HasBias: false);
}
