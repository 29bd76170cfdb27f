using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>T5 and FLAN-T5 (arXiv 1910.10683, 2210.11416): encoder and decoder with bias by distance, or the encoder alone.</summary>
internal static class T5
{
    private const string Table = "shared.weight";

    /// <summary>Positions are told by distance: texts are bounded by memory alone.</summary>
    private const int LongestText = 1 << 15;

    public static Family Family { get; } = new("t5", ["T5ForConditionalGeneration", "T5EncoderModel", "T5Model"], Describe)
    {
        LoraTargets = ["q", "v"],
        Harmless = ["n_positions"],
        Spellings =
        [
            ("hidden_size", "d_model"), ("num_attention_heads", "num_heads"), ("num_hidden_layers", "num_layers"), ("head_dim", "d_kv"),
        ],
        Ignored =
        [
            "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight",
            "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
        ],
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, heads, headWidth, inner) = (c.Size("d_model", 512), c.Size("num_heads", 8), c.Size("d_kv", 64), c.Size("d_ff", 2048));
        var (vocabulary, layers, factor) = (c.Size("vocab_size", 32128), c.Layers("num_layers", 6), c.Number("initializer_factor", 1));
        var decoderLayers = c.Layers("num_decoder_layers", layers);
        var (buckets, distance) = (c.Size("relative_attention_num_buckets", 32), c.Size("relative_attention_max_distance", 128));
        var feed = c.Text("feed_forward_proj", "relu");
        var gate = feed.StartsWith("gated-", StringComparison.Ordinal);
        var isGated = c.Flag("is_gated_act", gate);
        var activation = c.Activation("dense_act_fn", feed == "gated-gelu" ? "gelu_new" : gate ? feed["gated-".Length..] : feed);
        var dropout = c.Probability("dropout_rate", 0.1);
        var hasDecoder = c.Texts("architectures") is not ["T5EncoderModel"] && c.Stores("decoder.final_layer_norm.weight");
        var isTied = c.Flag("tie_word_embeddings", true);
        var head = isTied
            ? new Head(Table, vocabulary, factor) { Scale = Math.Pow(width, -0.5) }
            : new Head("lm_head.weight", vocabulary, factor);
        return new Transformer(
            Stack("encoder", layers, isDecoder: false),
            hasDecoder ? Stack("decoder", decoderLayers, isDecoder: true) : null)
        { Unused = hasDecoder ? [] : ["decoder."] };

        Stack Stack(string name, int count, bool isDecoder)
        {
            var bias = new RelativeBias(
                $"{name}.block.0.layer.0.SelfAttention.relative_attention_bias.weight", buckets, distance, BothWays: !isDecoder,
                    Deviation(width));
            return new Stack
            {
                Width = width,
                Context = LongestText,
                Causal = isDecoder,
                Input = new Input([Table], vocabulary, width, factor),
                Blocks = [.. Enumerable.Range(0, count).Select(i => Block($"{name}.block.{i}.layer", bias, isDecoder))],
                Final = Norm(name + ".final_layer_norm"),
                Heads = isDecoder ? [head] : [],
                Dropout = new(dropout, dropout, dropout, dropout, dropout),
            };
        }

        Block Block(string name, RelativeBias bias, bool isDecoder) => new(
            Attention(name + ".0.SelfAttention", name + ".0.layer_norm") with { Bias = bias },
            isDecoder ? Attention(name + ".1.EncDecAttention", name + ".1.layer_norm") : null,
            FeedForward(name + (isDecoder ? ".2" : ".1")));

        Attention Attention(string name, string norm) => new(
            heads, heads, headWidth, Scale: 1, Packing.Apart,
            [Linear(name + ".q", width * headWidth), Linear(name + ".k", width), Linear(name + ".v", width)],
                Linear(name + ".o", heads * headWidth))
        { Before = Norm(norm), Float32Scores = true };

        FeedForward FeedForward(string name) => new(
            inner, activation, isGated ? Gating.Apart : Gating.None,
            isGated
                ? [Linear(name + ".DenseReluDense.wi_0", width), Linear(name + ".DenseReluDense.wi_1", width)]
                : [Linear(name + ".DenseReluDense.wi", width)],
            Linear(name + ".DenseReluDense.wo", inner))
        { Before = Norm(name + ".layer_norm") };

        Projection Linear(string name, int fan) => new(name, HasBias: false, Deviation(fan));

        double Deviation(int fan) => factor * Math.Pow(fan, -0.5);

        Norm Norm(string name) => new(name, NormKind.RootMeanSquare, c.Number("layer_norm_epsilon", 1e-6), HasBias: false);
    }
}
