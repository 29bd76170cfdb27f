using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>BERT (arXiv 1810.04805) with its masked or, as a decoder, its causal language-model head. Relatives say what differs.</summary>
internal static class Bert
{
    public static Family Family { get; } = new("bert", ["BertForMaskedLM", "BertLMHeadModel", "BertForPreTraining", "BertModel"], c =>
    {
        const string table = "bert.embeddings.word_embeddings.weight";
        var range = c.Number("initializer_range", 0.02);
        var activation = c.Activation("hidden_act", "gelu");
        Head? head = !c.Stores("cls.predictions.transform.dense.weight") ? null
            : new Head(c.Flag("tie_word_embeddings", true) ? table : "cls.predictions.decoder.weight", c.Size("vocab_size", 30522), range)
            {
                Bias = new HeadBias("cls.predictions.bias"),
                Transform = new(
                    new Projection("cls.predictions.transform.dense", HasBias: true, range), activation,
                        Norm(c, "cls.predictions.transform.LayerNorm")),
            };
        var context = c.Size("max_position_embeddings", 512);
        return Describe(c, "bert", activation, context, head, new LearnedPositions(
            "bert.embeddings.position_embeddings.weight", context, Offset: 0, PositionCounting.Columns, range));
    })
    {
        BasePrefix = "bert.",
        LoraTargets = ["query", "value"],
        Ignored = ["*position_ids", "*token_type_ids", "*pooler.*", "cls.seq_relationship.*", "cls.predictions.decoder.*"],
        Harmless =
        [
            "directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
        ],
        Renamed = [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")],
    };

    /// <summary>What a <c>config.json</c> with BERT's entries says.</summary>
    /// <param name="c">The configuration.</param>
    /// <param name="prefix">What names begin with.</param>
    /// <param name="activation">The blocks' activation.</param>
    /// <param name="context">The most positions.</param>
    /// <param name="head">What makes logits; null for hidden states alone.</param>
    /// <param name="positions">What is added for the place in the text.</param>
    public static Transformer Describe(
        ConfigurationReader c, string prefix, Activation activation, int context, Head? head, LearnedPositions positions)
    {
        var (width, heads, range) = (c.Size("hidden_size", 768), c.Size("num_attention_heads", 12), c.Number("initializer_range", 0.02));
        if (width % heads != 0)
            throw c.Invalid($"hidden_size {width} is not a multiple of num_attention_heads {heads}");
        if (c.Text("position_embedding_type", "absolute") != "absolute")
            throw c.Unsupported("position_embedding_type", "supported is absolute");
        c.Refuse("add_cross_attention", "a BERT that reads an encoder is not supported");
        var (isDecoder, dropout) = (c.Flag("is_decoder", false), c.Probability("hidden_dropout_prob", 0.1));
        var stack = new Stack
        {
            Width = width,
            Context = context,
            Causal = isDecoder,
            Input = new Input([prefix + ".embeddings.word_embeddings.weight"], c.Size("vocab_size", 30522), width, range)
            {
                Positions = positions,
                Types = new TokenTypes(prefix + ".embeddings.token_type_embeddings.weight", c.Size("type_vocab_size", 2), range),
                Norm = Norm(c, prefix + ".embeddings.LayerNorm"),
            },
            Blocks = [.. Enumerable.Range(0, c.Layers("num_hidden_layers", 12)).Select(Block)],
            Heads = head is null ? [] : [head],
            Dropout = new(dropout, c.Probability("attention_probs_dropout_prob", 0.1), dropout),
        };
        return isDecoder ? new Transformer(Encoder: null, stack) : new Transformer(stack, Decoder: null);

        Block Block(int layer)
        {
            var name = $"{prefix}.encoder.layer.{layer}";
            return new Block(
                new Attention(
                    heads, heads, width / heads, 1 / Math.Sqrt(width / heads), Packing.Apart,
                    [Linear(name + ".attention.self.query"), Linear(name + ".attention.self.key"), Linear(name + ".attention.self.value")],
                    Linear(name + ".attention.output.dense"))
                { AfterSum = Norm(c, name + ".attention.output.LayerNorm") },
                Cross: null,
                new FeedForward(
                    c.Size("intermediate_size", 3072), activation, Gating.None, [Linear(name + ".intermediate.dense")],
                        Linear(name + ".output.dense"))
                { AfterSum = Norm(c, name + ".output.LayerNorm") });
        }

        Projection Linear(string name) => new(name, HasBias: true, range);
    }

    public static Norm Norm(ConfigurationReader c, string name) => new(name, NormKind.Layer, c.Number("layer_norm_eps", 1e-12));
}
