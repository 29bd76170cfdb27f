using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>Makes the entries of a <c>config.json</c> of a file's metadata.</summary>
/// <param name="file">The file.</param>
/// <param name="architecture">Its <c>general.architecture</c>.</param>
internal sealed class GgufEntries(GgufFile file, string architecture)
{
    private const int MaximumSize = 1 << 24;

    public bool Has(string key) => file.Metadata.Has(Key(key));

    public int Size(string key) => file.Metadata.Whole(Key(key), 1, MaximumSize);

    public int? OptionalSize(string key) => file.Metadata.OptionalWhole(Key(key), 0, MaximumSize) is { } size and not 0 ? size : null;

    public double Number(string key) => file.Metadata.Number(Key(key));

    public double? OptionalNumber(string key) => file.Metadata.OptionalNumber(Key(key));

    public bool Flag(string key, bool otherwise) => file.Metadata.OptionalFlag(Key(key)) ?? otherwise;

    public bool Stores(string tensor) => file.Stored.ContainsKey(tensor);

    /// <summary>The rows of the table of tokens.</summary>
    public long Vocabulary
    {
        get
        {
            file.Metadata.Find(Key("vocab_size"));
            return file.Stored.TryGetValue(GgufParameters.TokenTable, out var table) && table.Shape.Length == 2
                ? table.Shape[0] : throw file.Metadata.Invalid($"there is no table '{GgufParameters.TokenTable}' of tokens");
        }
    }

    public InvalidDataException Invalid(string what) => file.Metadata.Invalid(what);

    /// <summary>Entries that families of one form have in common.</summary>
    /// <param name="modelType">The family.</param>
    /// <param name="model">The class of its checkpoints.</param>
    /// <param name="share">The name of the share of a head that is turned; null where all of it is.</param>
    public JsonObject Decoder(string modelType, string model, string? share = null)
    {
        var (width, heads) = (Size("embedding_length"), Size("attention.head_count"));
        var head = OptionalSize("attention.key_length") ?? Math.Max(1, width / heads);
        if (OptionalSize("attention.value_length") is { } valueWidth && valueWidth != head)
            throw Invalid($"keys have {head} values a head and values {valueWidth}; expected as many");
        var turned = OptionalSize("rope.dimension_count") ?? head;
        if (turned != head && share is null)
            throw Invalid($"rope.dimension_count is {turned}; expected {head}, the width of a head");
        var configuration = new JsonObject
        {
            ["model_type"] = modelType,
            ["architectures"] = new JsonArray(model),
            ["hidden_size"] = width,
            ["intermediate_size"] = Size("feed_forward_length"),
            ["num_hidden_layers"] = Size("block_count"),
            ["num_attention_heads"] = heads,
            ["max_position_embeddings"] = Size("context_length"),
            ["vocab_size"] = Vocabulary,
            ["rope_theta"] = OptionalNumber("rope.freq_base") ?? 10000,
            ["tie_word_embeddings"] = !Stores(GgufParameters.OutputWeight),
        };
        if (share is not null)
            configuration[share] = (double)turned / head;
        return configuration;
    }

    /// <summary>What <c>rope_scaling</c> of a <c>config.json</c> is; null where nothing is scaled.</summary>
    public JsonObject? RopeScaling()
    {
        var type = file.Metadata.OptionalText(Key("rope.scaling.type"));
        if (Factors(GgufConstants.Frequencies) is { } divisors)
            return LongRope(divisors, divisors, OptionalNumber("rope.scaling.attn_factor") ?? 1, Size("context_length"));
        if (Factors(GgufConstants.LongFactors) is { } longer)
        {
            return LongRope(
                Factors(GgufConstants.ShortFactors) ?? throw Invalid($"there is no '{GgufConstants.ShortFactors}'"), longer,
                OptionalNumber("rope.scaling.attn_factor") ?? 1, Size("rope.scaling.original_context_length"));
        }

        var factor = OptionalNumber("rope.scaling.factor") ?? OptionalNumber("rope.scale_linear");
        return type switch
        {
            null when factor is null or 1 => null,
            "none" or "longrope" => null,
            null or "linear" => new JsonObject { ["rope_type"] = "linear", ["factor"] = factor },
            "yarn" => new JsonObject
            {
                ["rope_type"] = "yarn",
                ["factor"] = factor ?? throw Invalid("rope.scaling.factor is missing"),
                ["original_max_position_embeddings"] = OptionalSize("rope.scaling.original_context_length") ?? Size("context_length"),
                ["attention_factor"] = (OptionalNumber("rope.scaling.attn_factor") ?? 1) * YarnGrowth(factor.Value),
                ["beta_fast"] = OptionalNumber("rope.scaling.yarn_beta_fast") ?? 32,
                ["beta_slow"] = OptionalNumber("rope.scaling.yarn_beta_slow") ?? 1,
            },
            _ => throw Invalid($"rope.scaling.type is '{type}'; expected none, linear, yarn or longrope"),
        };
    }

    /// <summary>What llama.cpp multiplies sines and cosines with where YaRN stretches texts, apart from <c>attn_factor</c>.</summary>
    public static double YarnGrowth(double factor) => factor <= 1 ? 1 : 1 + 0.1 * Math.Log(factor);

    private static JsonObject LongRope(IEnumerable<float> shorter, IEnumerable<float> longer, double attention, int original)
    {
        return new JsonObject
        {
            ["rope_type"] = "longrope",
            ["short_factor"] = List(shorter),
            ["long_factor"] = List(longer),
            ["attention_factor"] = attention,
            ["original_max_position_embeddings"] = original,
        };

        static JsonArray List(IEnumerable<float> factors) => [.. factors.Select(factor => (JsonNode)factor)];
    }

    private float[]? Factors(string name)
    {
        if (!file.Stored.TryGetValue(name, out var stored))
            return null;
        if (stored.Shape.Length != 1 || stored.Type != GgufTensorType.F32 || stored.Shape[0] > MaximumSize)
            throw Invalid($"'{name}' is {stored.Type.Name} {TensorShape.Describe(stored.Shape)}; expected a list of F32");
        using var values = file.Read(name);
        var factors = values.data<float>().ToArray();
        return factors.All(factor => float.IsFinite(factor) && factor > 0)
            ? factors : throw Invalid($"'{name}' has a factor that is no number above 0");
    }

    private string Key(string key) => $"{architecture}.{key}";
}
