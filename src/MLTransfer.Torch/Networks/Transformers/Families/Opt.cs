using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>OPT (arXiv 2205.01068): norms before or after sublayers, positions counted by the mask.</summary>
internal static class Opt
{
    public static Family Family { get; } = new("opt", ["OPTForCausalLM", "OPTModel"], Describe)
    {
        BasePrefix = "model.",
        LoraTargets = ["q_proj", "v_proj"],
        Ignored = ["lm_head.weight", "*.version"],
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, heads, range) = (c.Size("hidden_size", 768), c.Size("num_attention_heads", 12), c.Number("init_std", 0.02));
        var (vocabulary, context) = (c.Size("vocab_size", 50272), c.Size("max_position_embeddings", 2048));
        if (width % heads != 0)
            throw c.Invalid($"hidden_size {width} is not a multiple of num_attention_heads {heads}");
        var (hasBias, hasWeights, isBefore) =
            (c.Flag("enable_bias", true), c.Flag("layer_norm_elementwise_affine", true), c.Flag("do_layer_norm_before", true));
        var (tableWidth, table, dropout) =
            (c.Size("word_embed_proj_dim", width), "model.decoder.embed_tokens.weight", c.Probability("dropout", 0.1));
        var isTied = c.IsTied("lm_head.weight");
        return new Transformer(Encoder: null, new Stack
        {
            Width = width,
            Context = context,
            Causal = true,
            Input = new Input([table], vocabulary, tableWidth, range)
            {
                Projection = Between("model.decoder.project_in"),
                Positions = new LearnedPositions(
                    "model.decoder.embed_positions.weight", context + 2, Offset: 2, PositionCounting.Mask, range),
            },
            Blocks = [.. Enumerable.Range(0, c.Layers("num_hidden_layers", 12)).Select(Block)],
            Final = isBefore && !c.Flag("_remove_final_layer_norm", false) ? Norm("model.decoder.final_layer_norm") : null,
            Heads = [new Head(isTied ? table : "lm_head.weight", vocabulary, range) { Projection = Between("model.decoder.project_out") }],
            Dropout = new(0, c.Probability("attention_dropout", 0), dropout),
        });

        Block Block(int layer)
        {
            var name = $"model.decoder.layers.{layer}";
            var (attentionNorm, feedNorm) = (Norm(name + ".self_attn_layer_norm"), Norm(name + ".final_layer_norm"));
            return new Block(
                new Attention(
                    heads, heads, width / heads, Math.Pow(width / heads, -0.5), Packing.Apart,
                    [.. "qkv".Select(part => new Projection($"{name}.self_attn.{part}_proj", hasBias, range))],
                    new Projection(name + ".self_attn.out_proj", hasBias, range))
                { Before = isBefore ? attentionNorm : null, AfterSum = isBefore ? null : attentionNorm },
                Cross: null,
                new FeedForward(
                    c.Size("ffn_dim", 3072), c.Activation("activation_function", "relu"), Gating.None,
                    [new Projection(name + ".fc1", hasBias, range)], new Projection(name + ".fc2", hasBias, range))
                { Before = isBefore ? feedNorm : null, AfterSum = isBefore ? null : feedNorm });
        }

        Projection? Between(string name) => tableWidth == width ? null : new Projection(name, HasBias: false, range);

        Norm Norm(string name) => new(name, NormKind.Layer, 1e-5, hasWeights, hasWeights);
    }
}
