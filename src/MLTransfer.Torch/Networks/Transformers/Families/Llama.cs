using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Llama (arXiv 2302.13971, 2307.09288, 2407.21783), with the names of <c>LlamaForCausalLM</c>. Relatives say what
/// differs.</summary>
internal static class Llama
{
    public static Family Family { get; } = Row("llama", "LlamaForCausalLM", c => Describe(c));

    /// <summary>A row of the registry for a family with these names.</summary>
    public static Family Row(string modelType, string architecture, Func<ConfigurationReader, Transformer> describe) =>
        new(modelType, [architecture, architecture.Replace("ForCausalLM", "Model", StringComparison.Ordinal)], describe)
        {
            BasePrefix = "model.",
            LoraTargets = ["q_proj", "v_proj"],
            Ignored = ["*rotary_emb.inv_freq", "lm_head.weight"],
        };

    /// <summary>What a <c>config.json</c> says.</summary>
    /// <param name="c">The configuration.</param>
    /// <param name="isTied">Whether logits are made with the token embedding where the file does not say.</param>
    /// <param name="headWidth">The width of a head where the file does not say; null for width / heads.</param>
    /// <param name="epsilon">That of norms where the file does not say.</param>
    public static Transformer Describe(ConfigurationReader c, bool isTied = false, int? headWidth = null, double epsilon = 1e-6)
    {
        var (width, heads, layers) = (c.Size("hidden_size", 4096), c.Size("num_attention_heads", 32), c.Layers("num_hidden_layers", 32));
        var (vocabulary, inner, keyHeads) =
            (c.Size("vocab_size", 32000), c.Size("intermediate_size", 11008), c.Size("num_key_value_heads", heads));
        var (range, attentionBias, feedBias) =
            (c.Number("initializer_range", 0.02), c.Flag("attention_bias", false), c.Flag("mlp_bias", false));
        if (heads % keyHeads != 0)
            throw c.Invalid($"num_attention_heads {heads} is not a multiple of num_key_value_heads {keyHeads}");
        var head = c.OptionalSize("head_dim") ?? headWidth ?? (width % heads == 0 ? width / heads
            : throw c.Invalid($"hidden_size {width} is not a multiple of num_attention_heads {heads}"));
        var rotary = RotaryEntries.Read(c, head);
        var table = "model.embed_tokens.weight";
        return new Transformer(Encoder: null, new Stack
        {
            Width = width,
            Context = RotaryEntries.Context(c.Size("max_position_embeddings", 2048), rotary),
            Causal = true,
            Input = new Input([table], vocabulary, width, range),
            Blocks = [.. Enumerable.Range(0, layers).Select(Block)],
            Final = Norm("model.norm"),
            Heads = [new Head(
                c.Flag("tie_word_embeddings", isTied) || !c.Stores("lm_head.weight") ? table : "lm_head.weight", vocabulary, range)],
            Dropout = new(0, c.Probability("attention_dropout", 0), 0),
        });

        Block Block(int layer)
        {
            var name = $"model.layers.{layer}";
            return new Block(
                new Attention(
                    heads, keyHeads, head, 1 / Math.Sqrt(head), Packing.Apart,
                    [.. "qkv".Select(part => new Projection($"{name}.self_attn.{part}_proj", attentionBias, range))],
                    new Projection(name + ".self_attn.o_proj", attentionBias, range))
                { Before = Norm(name + ".input_layernorm"), Rotary = rotary },
                Cross: null,
                new FeedForward(
                    inner, c.Activation("hidden_act", "silu"), Gating.Apart,
                    [new Projection(name + ".mlp.gate_proj", feedBias, range), new Projection(name + ".mlp.up_proj", feedBias, range)],
                    new Projection(name + ".mlp.down_proj", feedBias, range))
                { Before = Norm(name + ".post_attention_layernorm") });
        }

        Norm Norm(string name) => new(name, NormKind.RootMeanSquare, c.Positive("rms_norm_eps", epsilon), HasBias: false);
    }
}
