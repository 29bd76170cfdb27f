using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>GPT-J (Wang and Komatsuzaki 2021): attention and feed-forward read one norm and are added at once; neighbours are
/// turned.</summary>
internal static class GptJ
{
    public static Family Family { get; } = new("gptj", ["GPTJForCausalLM", "GPTJModel"], Describe)
    {
        BasePrefix = "transformer.",
        LoraTargets = ["q_proj", "v_proj"],
        Ignored = ["*attn.bias", "*attn.masked_bias", "*attn.embed_positions", "lm_head.weight"],
        Harmless = ["n_ctx"],
        Spellings = Gpt2.Family.Spellings,
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, heads, range) = (c.Size("n_embd", 4096), c.Size("n_head", 16), c.Number("initializer_range", 0.02));
        var vocabulary = c.Size("vocab_size", 50400);
        if (width % heads != 0)
            throw c.Invalid($"n_embd {width} is not a multiple of n_head {heads}");
        c.Require("rotary", true);
        c.Require("scale_attn_weights", true);
        var head = width / heads;
        var turned = c.SizeUnlessNull("rotary_dim", 64) ?? head;
        if (turned > head || turned % 2 != 0)
            throw c.Invalid($"rotary_dim is {turned}; expected an even number of the {head} values of a head");
        var rotary = new Rotary(turned, 10000, Pairing.Neighbours);
        var isTied = c.Flag("tie_word_embeddings", false);
        return new Transformer(Encoder: null, new Stack
        {
            Width = width,
            Context = c.Size("n_positions", 2048),
            Causal = true,
            Input = new Input(["transformer.wte.weight"], vocabulary, width, range),
            Blocks = [.. Enumerable.Range(0, c.Layers("n_layer", 28)).Select(Block)],
            Final = Norm("transformer.ln_f"),
            Heads = [new Head(
                isTied ? "transformer.wte.weight" : "lm_head.weight", vocabulary, range) { Bias = new HeadBias("lm_head.bias") }],
            Dropout = new(c.Probability("embd_pdrop", 0), c.Probability("attn_pdrop", 0), c.Probability("resid_pdrop", 0)),
        });

        Block Block(int layer)
        {
            var name = $"transformer.h.{layer}";
            return new Block(
                new Attention(
                    heads, heads, head, 1 / Math.Sqrt(head), Packing.Apart,
                    [.. "qkv".Select(part => new Projection($"{name}.attn.{part}_proj", HasBias: false, range))],
                    new Projection(name + ".attn.out_proj", HasBias: false, range))
                { Before = Norm(name + ".ln_1"), Rotary = rotary },
                Cross: null,
                new FeedForward(
                    c.OptionalSize("n_inner") ?? 4 * width, c.Activation("activation_function", "gelu_new"), Gating.None,
                    [new Projection(name + ".mlp.fc_in", HasBias: true, range)], new Projection(name + ".mlp.fc_out", HasBias: true, range))
                { Before = Norm(name + ".ln_1") },
                Parallel: true);
        }

        Norm Norm(string name) => new(name, NormKind.Layer, c.Number("layer_norm_epsilon", 1e-5));
    }
}
