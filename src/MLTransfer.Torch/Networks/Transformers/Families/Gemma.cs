using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Gemma 2 (arXiv 2408.00118) and Gemma 3 for texts (arXiv 2503.19786): Llama with norms on both sides of sublayers and 1 +
/// weight in them.</summary>
internal static class Gemma
{
    private static readonly LlamaDefaults s_defaults = new()
    {
        Vocabulary = 256000, Width = 2304, Inner = 9216, Layers = 26, Heads = 8, KeyValueHeads = 4, HeadWidth = 256, Context = 8192,
        Tied = true,
    };

    public static Family Gemma2 { get; } = Llama.Row("gemma2", "Gemma2ForCausalLM", c =>
    {
        var gemma = Describe(
            c, s_defaults, c.NumberUnlessNull("attn_logit_softcapping", 50), c.NumberUnlessNull("final_logit_softcapping", 30));
        var windows = WindowEntries.Read(c, gemma.Decoder!.Blocks.Length, slides: layer => layer % 2 == 0, otherwise: 4096);
        return gemma.WithAttention((attention, layer) => attention with { Window = windows[layer] });
    });

    public static Family Gemma3 { get; } = Llama.Row("gemma3_text", "Gemma3ForCausalLM", c =>
    {
        c.Refuse("use_bidirectional_attention", "attention in both directions is not supported");
        var gemma = Describe(c, s_defaults with { Vocabulary = 262208, Context = 131072, Theta = 1e6, RotaryKind = WindowEntries.Full },
            c.OptionalNumber("attn_logit_softcapping"), c.OptionalNumber("final_logit_softcapping"));
        var pattern = c.OptionalSize("sliding_window_pattern") ?? c.Size("_sliding_window_pattern", 6);
        var windows = WindowEntries.Read(c, gemma.Decoder!.Blocks.Length, layer => (layer + 1) % pattern != 0, otherwise: 4096);
        if (c.IsNull("sliding_window"))
            throw c.Invalid("sliding_window is null; expected a number of positions");
        var near = RotaryEntries.Read(c, gemma.Decoder.Blocks[0].Self.HeadWidth, kind: WindowEntries.Sliding);
        return gemma.WithDecoder(stack => stack with { Input = stack.Input with { HasScaledTable = true } })
            .WithAttention((attention, layer) => attention with
        {
            Window = windows[layer],
            Rotary = windows[layer] is null ? attention.Rotary : near,
            QueryNorm = Norm(c, $"model.layers.{layer}.self_attn.q_norm"),
            KeyNorm = Norm(c, $"model.layers.{layer}.self_attn.k_norm"),
        });
    });

    private static Transformer Describe(ConfigurationReader c, LlamaDefaults otherwise, double? scoreCap, double? logitCap)
    {
        var activation = c.Activation("hidden_activation", "gelu_pytorch_tanh");
        return Llama.Describe(c, otherwise).WithDecoder(stack => stack with
        {
            Input = stack.Input with { Scale = Math.Sqrt(stack.Width) },
            Final = Norm(c, "model.norm"),
            Heads = [stack.Heads[0] with { SoftCap = logitCap }],
        }).WithBlocks((block, layer) => block with
        {
            Self = block.Self with
            {
                Scale = 1 / Math.Sqrt(c.Positive("query_pre_attn_scalar", 256)),
                SoftCap = scoreCap,
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
