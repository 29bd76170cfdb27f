using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>GPT-NeoX and Pythia (arXiv 2204.06745, 2304.01373): a parallel residual with two norms, and a part of each head
/// turned.</summary>
internal static class GptNeoX
{
    public static Family Family { get; } = new("gpt_neox", ["GPTNeoXForCausalLM", "GPTNeoXModel"], Describe)
    {
        BasePrefix = "gpt_neox.",
        LoraTargets = ["query_key_value"],
        Ignored = ["*attention.bias", "*attention.masked_bias", "*rotary_emb.inv_freq", "embed_out.weight"],
        Spellings = [("rotary_emb_base", "rope_theta"), ("rotary_pct", "partial_rotary_factor")],
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, heads, range) = (c.Size("hidden_size", 6144), c.Size("num_attention_heads", 64), c.Number("initializer_range", 0.02));
        var vocabulary = c.Size("vocab_size", 50432);
        if (width % heads != 0)
            throw c.Invalid($"hidden_size {width} is not a multiple of num_attention_heads {heads}");
        var (head, hasBias, isParallel) = (width / heads, c.Flag("attention_bias", true), c.Flag("use_parallel_residual", true));
        var rotary = RotaryEntries.Read(c, head, share: 0.25);
        var table = "gpt_neox.embed_in.weight";
        var isTied = c.Flag("tie_word_embeddings", false);
        var dropout = c.Probability("hidden_dropout", 0);
        return new Transformer(Encoder: null, new Stack
        {
            Width = width,
            Context = RotaryEntries.Context(c.Size("max_position_embeddings", 2048), rotary),
            Causal = true,
            Input = new Input([table], vocabulary, width, range),
            Blocks = [.. Enumerable.Range(0, c.Layers("num_hidden_layers", 44)).Select(Block)],
            Final = Norm("gpt_neox.final_layer_norm"),
            Heads = [new Head(isTied ? table : "embed_out.weight", vocabulary, range)],
            Dropout = new(dropout, c.Probability("attention_dropout", 0), dropout),
        });

        Block Block(int layer)
        {
            var name = $"gpt_neox.layers.{layer}";
            return new Block(
                new Attention(
                    heads, heads, head, 1 / Math.Sqrt(head), Packing.PerHead,
                    [new Projection(name + ".attention.query_key_value", hasBias, range)],
                        new Projection(name + ".attention.dense", hasBias, range))
                { Before = Norm(name + ".input_layernorm"), Rotary = rotary },
                Cross: null,
                new FeedForward(
                    c.Size("intermediate_size", 24576), c.Activation("hidden_act", "gelu"), Gating.None,
                    [new Projection(name + ".mlp.dense_h_to_4h", HasBias: true, range)],
                        new Projection(name + ".mlp.dense_4h_to_h", HasBias: true, range))
                { Before = Norm(name + ".post_attention_layernorm") },
                isParallel);
        }

        Norm Norm(string name) => new(name, NormKind.Layer, c.Number("layer_norm_eps", 1e-5));
    }
}
