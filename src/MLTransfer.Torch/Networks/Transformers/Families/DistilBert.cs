using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>DistilBERT (arXiv 1910.01108): BERT without token types, under names of its own.</summary>
internal static class DistilBert
{
    public static Family Family { get; } = new("distilbert", ["DistilBertForMaskedLM", "DistilBertModel"], Describe)
    {
        BasePrefix = "distilbert.",
        LoraTargets = ["q_lin", "v_lin"],
        Ignored = ["*position_ids", "vocab_projector.weight"],
        Harmless = ["sinusoidal_pos_embds", "tie_weights_", "qa_dropout", "seq_classif_dropout"], // a checkpoint stores the sines
        Spellings = [("hidden_size", "dim"), ("num_attention_heads", "n_heads"), ("num_hidden_layers", "n_layers")],
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, heads, range) = (c.Size("dim", 768), c.Size("n_heads", 12), c.Number("initializer_range", 0.02));
        var (vocabulary, context, dropout) =
            (c.Size("vocab_size", 30522), c.Size("max_position_embeddings", 512), c.Probability("dropout", 0.1));
        if (width % heads != 0)
            throw c.Invalid($"dim {width} is not a multiple of n_heads {heads}");
        const string table = "distilbert.embeddings.word_embeddings.weight";
        var activation = c.Activation("activation", "gelu");
        var isTied = c.Flag("tie_word_embeddings", true);
        return new Transformer(new Stack
        {
            Width = width,
            Context = context,
            Causal = false,
            Input = new Input([table], vocabulary, width, range)
            {
                Positions = new LearnedPositions(
                    "distilbert.embeddings.position_embeddings.weight", context, Offset: 0, PositionCounting.Columns, range),
                Norm = Norm("distilbert.embeddings.LayerNorm"),
            },
            Blocks = [.. Enumerable.Range(0, c.Layers("n_layers", 6)).Select(Block)],
            Heads = !c.Stores("vocab_transform.weight") ? [] :
            [
                new Head(isTied ? table : "vocab_projector.weight", vocabulary, range)
                {
                    Bias = new HeadBias("vocab_projector.bias"),
                    Transform = new(Linear("vocab_transform"), activation, Norm("vocab_layer_norm")),
                },
            ],
            Dropout = new(dropout, c.Probability("attention_dropout", 0.1), dropout),
        }, Decoder: null);

        Block Block(int layer)
        {
            var name = $"distilbert.transformer.layer.{layer}";
            return new Block(
                new Attention(
                    heads, heads, width / heads, 1 / Math.Sqrt(width / heads), Packing.Apart,
                    [.. "qkv".Select(part => Linear($"{name}.attention.{part}_lin"))], Linear(name + ".attention.out_lin"))
                { AfterSum = Norm(name + ".sa_layer_norm") },
                Cross: null,
                new FeedForward(
                    c.Size("hidden_dim", 3072), activation, Gating.None, [Linear(name + ".ffn.lin1")], Linear(name + ".ffn.lin2"))
                { AfterSum = Norm(name + ".output_layer_norm") });
        }

        Projection Linear(string name) => new(name, HasBias: true, range);

        static Norm Norm(string name) => new(name, NormKind.Layer, 1e-12);
    }
}
