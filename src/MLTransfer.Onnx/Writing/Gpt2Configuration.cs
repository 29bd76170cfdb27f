using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MLTransfer.Onnx.Writing;

/// <summary>The entries of a GPT-2 <c>config.json</c> that shape the network, under the same names and with the same defaults.</summary>
internal sealed class Gpt2Configuration
{
    [JsonPropertyName("vocab_size")] public int VocabularySize { get; init; } = 50257;
    [JsonPropertyName("n_positions")] public int Positions { get; init; } = 1024;
    [JsonPropertyName("n_embd")] public int Width { get; init; } = 768;
    [JsonPropertyName("n_layer")] public int Layers { get; init; } = 12;
    [JsonPropertyName("n_head")] public int Heads { get; init; } = 12;
    [JsonPropertyName("n_inner")] public int? InnerWidth { get; init; }
    [JsonPropertyName("activation_function")] public string ActivationFunction { get; init; } = "gelu_new";
    [JsonPropertyName("resid_pdrop")] public double ResidualDropout { get; init; } = 0.1;
    [JsonPropertyName("embd_pdrop")] public double EmbeddingDropout { get; init; } = 0.1;
    [JsonPropertyName("attn_pdrop")] public double AttentionDropout { get; init; } = 0.1;
    [JsonPropertyName("layer_norm_epsilon")] public double LayerNormEpsilon { get; init; } = 1e-5;
    [JsonPropertyName("initializer_range")] public double InitializerRange { get; init; } = 0.02;
    [JsonPropertyName("scale_attn_weights")] public bool ScaleAttentionWeights { get; init; } = true;
    [JsonPropertyName("scale_attn_by_inverse_layer_idx")] public bool ScaleAttentionByInverseLayerIndex { get; init; }
    [JsonPropertyName("reorder_and_upcast_attn")] public bool ReorderAndUpcastAttention { get; init; }
    [JsonPropertyName("tie_word_embeddings")] public bool TieWordEmbeddings { get; init; } = true;
    [JsonPropertyName("add_cross_attention")] public bool AddCrossAttention { get; init; }

    public int HeadWidth => Width / Heads;

    public static Gpt2Configuration Parse(JsonObject json)
    {
        Gpt2Configuration configuration;
        try
        {
            configuration = json.Deserialize<Gpt2Configuration>()!;
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"config.json: {exception.Message}", exception);
        }

        Positive("vocab_size", configuration.VocabularySize);
        Positive("n_positions", configuration.Positions);
        Positive("n_embd", configuration.Width);
        Positive("n_layer", configuration.Layers);
        Positive("n_head", configuration.Heads);
        Positive("n_inner", configuration.InnerWidth ?? 1);
        Probability("resid_pdrop", configuration.ResidualDropout);
        Probability("embd_pdrop", configuration.EmbeddingDropout);
        Probability("attn_pdrop", configuration.AttentionDropout);
        if (configuration.Width % configuration.Heads != 0)
            throw new InvalidDataException($"config.json: n_embd {configuration.Width} is not a multiple of n_head {configuration.Heads}.");
        if (configuration.AddCrossAttention)
            throw new NotSupportedException("config.json: add_cross_attention is set; a GPT-2 that reads an encoder is not supported.");
        return configuration;

        static void Positive(string name, int value)
        {
            if (value is <= 0 or > 1 << 24)
                throw new InvalidDataException($"config.json: {name} is {value}; expected 1 to {1 << 24}.");
        }

        static void Probability(string name, double value)
        {
            if (value is not (>= 0 and < 1))
                throw new InvalidDataException($"config.json: {name} is {value}; expected a probability from 0 to less than 1.");
        }
    }
}
