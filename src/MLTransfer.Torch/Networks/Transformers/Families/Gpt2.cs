using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"), with the names of
/// <c>GPT2LMHeadModel</c>.</summary>
internal static class Gpt2
{
    public static Family Family { get; } = new("gpt2", ["GPT2LMHeadModel", "GPT2Model", "GPT2DoubleHeadsModel"], Describe)
    {
        BasePrefix = "transformer.",
        LoraTargets = ["c_attn"],
        Ignored = ["*attn.bias", "*attn.masked_bias", "lm_head.weight", "multiple_choice_head.*"],
        Harmless = ["n_ctx", "predict_special_tokens"],
        Spellings =
        [
            ("hidden_size", "n_embd"), ("max_position_embeddings", "n_positions"), ("num_attention_heads", "n_head"),
            ("num_hidden_layers", "n_layer"),
        ],
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, heads, layers) = (c.Size("n_embd", 768), c.Size("n_head", 12), c.Layers("n_layer", 12));
        var (vocabulary, context, range) = (c.Size("vocab_size", 50257), c.Size("n_positions", 1024), c.Number("initializer_range", 0.02));
        if (width % heads != 0)
            throw c.Invalid($"n_embd {width} is not a multiple of n_head {heads}");
        c.Refuse("add_cross_attention", "a GPT-2 that reads an encoder is not supported");
        var tables = new Input(["transformer.wte.weight"], vocabulary, width, range)
        {
            Positions = new LearnedPositions("transformer.wpe.weight", context, Offset: 0, PositionCounting.Columns, range),
        };

        var isTied = c.IsTied("lm_head.weight");
        return new Transformer(Encoder: null, new Stack
        {
            Width = width,
            Context = context,
            Causal = true,
            Input = tables,
            Blocks = [.. Enumerable.Range(0, layers).Select(Block)],
            Final = Norm("transformer.ln_f"),
            Heads = [new Head(isTied ? tables.Tables[0] : "lm_head.weight", vocabulary, range)],
            Dropout = new(c.Probability("embd_pdrop", 0.1), c.Probability("attn_pdrop", 0.1), c.Probability("resid_pdrop", 0.1)),
        });

        Block Block(int layer)
        {
            var (name, headWidth) = ($"transformer.h.{layer}", width / heads);
            var scale = (c.Flag("scale_attn_weights", true) ? 1 / Math.Sqrt(headWidth) : 1)
                / (c.Flag("scale_attn_by_inverse_layer_idx", false) ? layer + 1 : 1);
            return new Block(
                new Attention(heads, heads, headWidth, scale, Packing.Rows, [Linear(name + ".attn.c_attn")], Added(name + ".attn.c_proj"))
                {
                    Before = Norm(name + ".ln_1"),
                    Float32Scores = c.Flag("reorder_and_upcast_attn", false),
                },
                Cross: null,
                new FeedForward(
                    c.OptionalSize("n_inner") ?? 4 * width, c.Activation("activation_function", "gelu_new"), Gating.None,
                    [Linear(name + ".mlp.c_fc")], Added(name + ".mlp.c_proj"))
                { Before = Norm(name + ".ln_2") });
        }

        Norm Norm(string name) => new(name, NormKind.Layer, c.Number("layer_norm_epsilon", 1e-5));

        Projection Linear(string name) => new(name, HasBias: true, range, WeightLayout.InputByOutput);

        // What is added to the residual stream starts smaller the more layers there are.
        Projection Added(string name) => Linear(name) with { Deviation = range / Math.Sqrt(2 * layers) };
    }
}
