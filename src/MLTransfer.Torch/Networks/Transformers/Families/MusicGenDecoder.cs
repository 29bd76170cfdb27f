using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>MusicGen's decoder (arXiv 2306.05284): several streams of tokens, a table and a head each, over a text that an encoder
/// read.</summary>
internal static class MusicGenDecoder
{
    public static Family Family { get; } = new("musicgen_decoder", ["MusicgenForCausalLM"], Describe)
    {
        LoraTargets = ["q_proj", "v_proj"],
        Ignored = ["*embed_positions.weights"],
        Harmless = ["audio_channels", "scale_embedding"], // vectors are not scaled, whatever a file says
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, heads, deviation) =
            (c.Size("hidden_size", 1024), c.Size("num_attention_heads", 16), c.Number("initializer_factor", 0.02));
        var (vocabulary, streams, dropout) = (c.Size("vocab_size", 2048), c.Layers("num_codebooks", 4), c.Probability("dropout", 0.1));
        if (width % heads != 0)
            throw c.Invalid($"hidden_size {width} is not a multiple of num_attention_heads {heads}");
        c.Refuse("tie_word_embeddings", "a table of input has a row more than a head has");
        return new Transformer(Encoder: null, new Stack
        {
            Width = width,
            Context = c.Size("max_position_embeddings", 2048),
            Causal = true,
            Input = new Input([.. Streams("model.decoder.embed_tokens.{0}.weight")], vocabulary + 1, width, deviation)
            {
                Positions = new SinusoidalPositions(SinusoidOrder.CosinesThenSines),
            },
            Blocks = [.. Enumerable.Range(0, c.Layers("num_hidden_layers", 24)).Select(i => Block($"model.decoder.layers.{i}"))],
            Final = Norm("model.decoder.layer_norm"),
            Heads = [.. Streams("lm_heads.{0}.weight").Select(name => new Head(name, vocabulary, deviation))],
            Dropout = new(dropout, c.Probability("attention_dropout", 0), dropout, c.Probability("activation_dropout", 0)),
        });

        IEnumerable<string> Streams(string name) =>
            Enumerable.Range(0, streams).Select(stream => string.Format(System.Globalization.CultureInfo.InvariantCulture, name, stream));

        Block Block(string name) => new(
            Attention(name + ".self_attn"),
            Attention(name + ".encoder_attn"),
            new FeedForward(
                c.Size("ffn_dim", 4096), c.Activation("activation_function", "gelu"), Gating.None, [Linear(name + ".fc1")],
                    Linear(name + ".fc2"))
            { Before = Norm(name + ".final_layer_norm") });

        Attention Attention(string name) => new(
            heads, heads, width / heads, Math.Pow(width / heads, -0.5), Packing.Apart,
            [.. "qkv".Select(part => Linear($"{name}.{part}_proj"))], Linear(name + ".out_proj"))
        { Before = Norm(name + "_layer_norm") };

        Projection Linear(string name) => new(name, HasBias: false, deviation);

        static Norm Norm(string name) => new(name, NormKind.Layer, 1e-5);
    }
}
