using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>The files of a trained tokenizer: <c>tokenizer.json</c>, and <c>tokenizer_config.json</c> for transformers.</summary>
internal static class TrainedFiles
{
    private const double NoLimit = 1e30; // as transformers writes it

    private static readonly JsonSerializerOptions s_json =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="options">What was trained.</param>
    /// <param name="model">The model, as <c>tokenizer.json</c> writes it; its first ids are the special tokens.</param>
    public static Dictionary<string, byte[]> Of(TokenizerTrainingOptions options, JsonObject model)
    {
        IReadOnlyList<string> special = options.Specials.All;
        return new Dictionary<string, byte[]>
        {
            [TokenizerFiles.Tokenizer] = JsonSerializer.SerializeToUtf8Bytes(new JsonObject
            {
                ["version"] = "1.0",
                ["truncation"] = null,
                ["padding"] = null,
                ["added_tokens"] = new JsonArray([.. special.Select((token, id) => Added(token, id))]),
                ["normalizer"] = StageJson.Normalizer(options),
                ["pre_tokenizer"] = StageJson.PreTokenizer(options.Kind),
                ["post_processor"] = StageJson.PostProcessor(options, token => special.ToList().IndexOf(token)),
                ["decoder"] = StageJson.Decoder(options),
                ["model"] = model,
            }, s_json),
            [TokenizerFiles.Configuration] = JsonSerializer.SerializeToUtf8Bytes(Configuration(options, special), s_json),
        };
    }

    private static JsonObject Configuration(TokenizerTrainingOptions options, IReadOnlyList<string> special)
    {
        var configuration = new JsonObject
        {
            ["added_tokens_decoder"] = new JsonObject(special.Select((token, id) => KeyValuePair.Create($"{id}", (JsonNode?)Flags(token)))),
            ["clean_up_tokenization_spaces"] = false,
            ["model_max_length"] = options.ModelMaximumLength ?? NoLimit,
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
        };
        foreach ((string role, string token) in options.Specials.Roles)
            configuration[role] = token;
        if (options.Specials.Additional.Count > 0)
            configuration["additional_special_tokens"] = new JsonArray([.. options.Specials.Additional]);
        return configuration;
    }

    private static JsonObject Added(string token, int id)
    {
        JsonObject added = Flags(token);
        added.Insert(0, "id", id);
        return added;
    }

    private static JsonObject Flags(string token) => new()
    {
        ["content"] = token,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = false,
        ["special"] = true,
    };
}
