using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>GPT-Neo (Black et al. 2021): GPT-2 whose scores are not scaled and of whose layers some see a window.</summary>
internal static class GptNeo
{
    public static Family Family { get; } = new("gpt_neo", ["GPTNeoForCausalLM", "GPTNeoModel"], Describe)
    {
        BasePrefix = "transformer.",
        LoraTargets = ["q_proj", "v_proj"],
        Ignored = ["*attention.bias", "*attention.masked_bias", "lm_head.weight"],
        Harmless = ["attention_types"], // where attention_layers says the same
        Spellings = [("num_attention_heads", "num_heads"), ("num_hidden_layers", "num_layers")],
    };

    private static Transformer Describe(ConfigurationReader c)
    {
        var (width, heads, layers) = (c.Size("hidden_size", 2048), c.Size("num_heads", 16), c.Layers("num_layers", 24));
        var (vocabulary, context, range) =
            (c.Size("vocab_size", 50257), c.Size("max_position_embeddings", 2048), c.Number("initializer_range", 0.02));
        if (width % heads != 0)
            throw c.Invalid($"hidden_size {width} is not a multiple of num_heads {heads}");
        var kinds = c.OfLength("attention_layers", c.Texts("attention_layers") ?? Expand(c), layers);
        if (kinds.FirstOrDefault(kind => kind is not ("global" or "local")) is { } unknown)
            throw new NotSupportedException($"{c.Origin}: a layer's attention is '{unknown}'; supported are global and local.");
        var (window, table) = (c.Size("window_size", 256), "transformer.wte.weight");
        return new Transformer(Encoder: null, new Stack
        {
            Width = width,
            Context = context,
            Causal = true,
            Input = new Input([table], vocabulary, width, range)
            { Positions = new LearnedPositions("transformer.wpe.weight", context, Offset: 0, PositionCounting.Columns, range) },
            Blocks = [.. Enumerable.Range(0, layers).Select(Block)],
            Final = Norm("transformer.ln_f"),
            Heads = [new Head(c.IsTied("lm_head.weight") ? table : "lm_head.weight", vocabulary, range)],
            Dropout = new(c.Probability("embed_dropout", 0), c.Probability("attention_dropout", 0), c.Probability("resid_dropout", 0)),
        });

        Block Block(int layer)
        {
            var name = $"transformer.h.{layer}";
            return new Block(
                new Attention(
                    heads, heads, width / heads, Scale: 1, Packing.Apart,
                    [.. "qkv".Select(part => new Projection($"{name}.attn.attention.{part}_proj", HasBias: false, range))],
                    new Projection(name + ".attn.attention.out_proj", HasBias: true, range))
                { Before = Norm(name + ".ln_1"), Window = kinds[layer] == "local" ? window : null, Float32Scores = true },
                Cross: null,
                new FeedForward(
                    c.OptionalSize("intermediate_size") ?? 4 * width, c.Activation("activation_function", "gelu_new"), Gating.None,
                    [new Projection(name + ".mlp.c_fc", HasBias: true, range)], new Projection(name + ".mlp.c_proj", HasBias: true, range))
                { Before = Norm(name + ".ln_2") });
        }

        Norm Norm(string name) => new(name, NormKind.Layer, c.Number("layer_norm_epsilon", 1e-5));
    }

    /// <summary><c>[[["global", "local"], 12]]</c>: lists of kinds, each with how often it comes.</summary>
    private static List<string> Expand(ConfigurationReader c)
    {
        var kinds = new List<string>();
        foreach (var entry in c.Array("attention_types") ?? new JsonArray(new JsonArray(new JsonArray("global", "local"), 12)))
        {
            if (entry is not JsonArray { Count: 2 } pair || pair[0] is not JsonArray names || pair[1] is not JsonValue count
                || !count.TryGetValue<int>(out var times) || times < 0
                || kinds.Count + (long)names.Count * times > ConfigurationReader.MaximumLayers)
                throw c.Invalid("attention_types is not a list of lists of kinds with how often they come");
            for (var i = 0; i < times; i++)
                kinds.AddRange(names.Select(name => name?.ToString() ?? ""));
        }

        return kinds;
    }
}
