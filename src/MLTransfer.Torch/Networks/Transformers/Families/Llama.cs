using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Llama (arXiv 2302.13971, 2307.09288, 2407.21783), with the names of <c>LlamaForCausalLM</c>. Relatives say what
/// differs.</summary>
internal static class Llama
{
    public static Family Family { get; } = Row("llama", "LlamaForCausalLM", c => Describe(c, new LlamaDefaults()));

    /// <summary>A row of the registry for a family with these names.</summary>
    public static Family Row(string modelType, string architecture, Func<ConfigurationReader, Transformer> describe) =>
        new(modelType, [architecture, architecture.Replace("ForCausalLM", "Model", StringComparison.Ordinal)], describe)
        {
            BasePrefix = "model.",
            LoraTargets = ["q_proj", "v_proj"],
            Ignored = ["*rotary_emb*inv_freq", "lm_head.weight"],
            Harmless = ["is_llama_config", "max_sequence_length"],
        };

    /// <summary>What a <c>config.json</c> says.</summary>
    /// <param name="c">The configuration.</param>
    /// <param name="otherwise">What holds where the file does not say.</param>
    public static Transformer Describe(ConfigurationReader c, LlamaDefaults otherwise)
    {
        var (width, heads) = (c.Size("hidden_size", otherwise.Width), c.Size("num_attention_heads", otherwise.Heads));
        var (vocabulary, inner, keyHeads) = (c.Size("vocab_size", otherwise.Vocabulary), c.Size("intermediate_size", otherwise.Inner),
            c.SizeUnlessNull("num_key_value_heads", otherwise.KeyValueHeads) ?? heads);
        var (range, attentionBias, feedBias) =
            (c.Number("initializer_range", 0.02), c.Flag("attention_bias", false), c.Flag("mlp_bias", false));
        if (heads % keyHeads != 0)
            throw c.Invalid($"num_attention_heads {heads} is not a multiple of num_key_value_heads {keyHeads}");
        var head = c.OptionalSize("head_dim") ?? otherwise.HeadWidth ?? (width % heads == 0 ? width / heads
            : throw c.Invalid($"hidden_size {width} is not a multiple of num_attention_heads {heads}"));
        var rotary = RotaryEntries.Read(c, head, otherwise.Theta, otherwise.RotaryKind, original: otherwise.OriginalContext);
        var table = "model.embed_tokens.weight";
        return new Transformer(Encoder: null, new Stack
        {
            Width = width,
            Context = RotaryEntries.Context(c.Size("max_position_embeddings", otherwise.Context), rotary),
            Causal = true,
            Input = new Input([table], vocabulary, width, range),
            Blocks = [.. Enumerable.Range(0, c.Layers("num_hidden_layers", otherwise.Layers)).Select(Block)],
            Final = Norm("model.norm"),
            Heads = [new Head(
                c.IsTied("lm_head.weight", otherwise.Tied) ? table : "lm_head.weight",
                vocabulary, range)],
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

        Norm Norm(string name) => new(name, NormKind.RootMeanSquare, c.Positive("rms_norm_eps", otherwise.Epsilon), HasBias: false);
    }
}
