using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>DALL-E mini (Dayma et al. 2021): BART from captions to image tokens, with gated feed-forward and norms before, inside and
/// after sublayers.</summary>
/// <remarks>Its checkpoints are two files, whose names begin with <c>encoder.</c> and <c>decoder.</c> here.</remarks>
internal static class DalleBart
{
    public static Family Family { get; } = new("dallebart", ["DalleBart", "eBart"], Describe)
    {
        LoraTargets = ["q_proj", "v_proj"],

        // Of the tokenizer; of attention by angles, which is refused; of how JAX lays out parameters; what encoder_layers says.
        Harmless = ["normalize_text", "tau_init", "use_scan", "num_hidden_layers"],
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        foreach (var key in (string[])[
            "use_head_scale", "use_cosine_attention", "use_swin_position_embeddings", "use_deepnet_scaling", "use_subln_init", "use_alibi",
            "tie_word_embeddings"])
            c.Refuse(key, "supported is false");
        c.Require("use_glu", true);
        c.Require("use_absolute_position_embeddings", true);
        c.Require("ln_type", "layernorm");
        c.Require("ln_positions", "normformer");
        c.Require("sinkhorn_iters", 1);
        var (width, range, images) = (c.Size("d_model", 1024), c.Number("init_std", 0.02), c.Size("image_vocab_size", 16384));
        var (hasBias, dropout) = (c.Flag("use_bias", false), c.Probability("dropout", 0));
        var hasAllWeights = c.Flag("force_ln_scale", c.Stores("pre_self_attn_layer_norm.weight"));
        var scale = c.Flag("scale_embedding", false) ? Math.Sqrt(width) : 1;
        return new Transformer(
            Stack("encoder", c.Size("encoder_vocab_size", 50264), c.Size("max_text_length", 64), isDecoder: false),
            Stack("decoder", images + 1, c.Size("image_length", 256), isDecoder: true));

        Stack Stack(string side, int rows, int context, bool isDecoder)
        {
            var (heads, inner) = (c.Size(side + "_attention_heads", 16), c.Size(side + "_ffn_dim", 2730));
            if (width % heads != 0)
                throw c.Invalid($"d_model {width} is not a multiple of {side}_attention_heads {heads}");
            return new Stack
            {
                Width = width,
                Context = context,
                Causal = isDecoder,
                Input = new Input([side + ".embed_tokens.weight"], rows, width, range)
                {
                    Scale = scale,
                    Positions = new LearnedPositions(side + ".embed_positions.weight", context, Offset: 0, PositionCounting.Columns, range),
                    Norm = Norm(side + ".layernorm_embedding"),
                },
                Blocks = [.. Enumerable.Range(0, c.Layers(side + "_layers", 12))
                    .Select(i => Block($"{side}.layers.{i}", heads, inner, isDecoder))],
                Final = c.Flag("use_final_ln_" + side, true) ? Norm(side + ".final_ln") : null,
                Heads = isDecoder ? [new Head("decoder.lm_head.weight", rows, range)] : [],
                Dropout = new(dropout, c.Probability("attention_dropout", 0), dropout, c.Probability("activation_dropout", 0)),
            };
        }

        Block Block(string name, int heads, int inner, bool isDecoder) => new(
            Attention(name, "self_attn", heads),
            isDecoder ? Attention(name, "encoder_attn", heads) : null,
            new FeedForward(
                inner, c.Activation("activation_function", "gelu"), Gating.Apart, [Linear(name + ".glu.fc0"), Linear(name + ".glu.fc1")],
                    Linear(name + ".glu.fc2"))
            { Before = Bare(name + ".glu.ln0"), InnerNorm = Bare(name + ".glu.ln1") });

        Attention Attention(string block, string part, int heads) => new(
            heads, heads, width / heads, Math.Pow(width / heads, -0.5), Packing.Apart,
            [.. "qkv".Select(letter => Linear($"{block}.{part}.{letter}_proj"))], Linear($"{block}.{part}.out_proj"))
        { Before = Bare($"{block}.pre_{part}_layer_norm"), OnOutput = Norm($"{block}.{part}_layer_norm") };

        Projection Linear(string name) => new(name, hasBias, range);

        // Where a linear layer follows, a norm's weight would say twice what the layer says.
        Norm Bare(string name) => Norm(name) with { HasWeight = hasAllWeights };

        static Norm Norm(string name) => new(name, NormKind.Layer, 1e-5);
    }
}
