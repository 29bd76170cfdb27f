using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>BART (arXiv 1910.13461): encoder and decoder with norms after sublayers and one on the embedding.</summary>
internal static class Bart
{
    private const string Table = "model.shared.weight";

    public static Family Family { get; } = new("bart", ["BartForConditionalGeneration", "BartModel"], Describe)
    {
        BasePrefix = "model.",
        LoraTargets = ["q_proj", "v_proj"],
        Noise = PretrainingNoise.Infilling,
        Harmless = ["num_hidden_layers", "force_bos_token_to_be_generated", "save_step"],
        Spellings = [("hidden_size", "d_model"), ("num_attention_heads", "encoder_attention_heads")],
        Ignored = ["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight", "*.version"],
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, range, vocabulary) = (c.Size("d_model", 1024), c.Number("init_std", 0.02), c.Size("vocab_size", 50265));
        var (context, activation) = (c.Size("max_position_embeddings", 1024), c.Activation("activation_function", "gelu"));
        c.Require("extra_pos_embeddings", 2);
        c.Require("normalize_embedding", true);
        var scale = c.Flag("scale_embedding", false) ? Math.Sqrt(width) : 1;
        var dropout = c.Probability("dropout", 0.1);
        var isTied = c.IsTied("lm_head.weight");
        var head = new Head(isTied ? Table : "lm_head.weight", vocabulary, range)
        {
            Bias = c.Stores("final_logits_bias") ? new HeadBias("final_logits_bias", IsRow: true, IsTrained: false) : null,
        };
        return new Transformer(Stack("encoder", isDecoder: false), Stack("decoder", isDecoder: true));

        Stack Stack(string side, bool isDecoder)
        {
            var (name, heads, inner) = ($"model.{side}", c.Size(side + "_attention_heads", 16), c.Size(side + "_ffn_dim", 4096));
            if (width % heads != 0)
                throw c.Invalid($"d_model {width} is not a multiple of {side}_attention_heads {heads}");
            return new Stack
            {
                Width = width,
                Context = context,
                Causal = isDecoder,
                Input = new Input([Table], vocabulary, width, range)
                {
                    Scale = scale,
                    HasScaledTable = true,
                    Positions = new LearnedPositions(
                        name + ".embed_positions.weight", context + 2, Offset: 2, PositionCounting.Columns, range),
                    Norm = Norm(name + ".layernorm_embedding"),
                },
                Blocks = [.. Enumerable.Range(0, c.Layers(side + "_layers", 12))
                    .Select(i => Block($"{name}.layers.{i}", heads, inner, isDecoder))],
                Heads = isDecoder ? [head] : [],
                Dropout = new(dropout, c.Probability("attention_dropout", 0), dropout, c.Probability("activation_dropout", 0)),
            };
        }

        Block Block(string name, int heads, int inner, bool isDecoder) => new(
            Attention(name + ".self_attn", heads),
            isDecoder ? Attention(name + ".encoder_attn", heads) : null,
            new FeedForward(inner, activation, Gating.None, [Linear(name + ".fc1")], Linear(name + ".fc2"))
            { AfterSum = Norm(name + ".final_layer_norm") });

        Attention Attention(string name, int heads) => new(
            heads, heads, width / heads, Math.Pow(width / heads, -0.5), Packing.Apart,
            [.. "qkv".Select(part => Linear($"{name}.{part}_proj"))], Linear(name + ".out_proj"))
        { AfterSum = Norm(name + "_layer_norm") };

        Projection Linear(string name) => new(name, HasBias: true, range);

        static Norm Norm(string name) => new(name, NormKind.Layer, 1e-5);
    }
}
