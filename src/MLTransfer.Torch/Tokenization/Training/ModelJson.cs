using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Tokenization.Training;

/// <summary>A trained model as <c>tokenizer.json</c> writes it.</summary>
internal static class ModelJson
{
    private const int MaximumWordLength = 100; // in characters, of BERT's release

    public static JsonObject BytePairs(BytePairTraining.Result trained) => new()
    {
        ["type"] = "BPE",
        ["dropout"] = null,
        ["unk_token"] = null,
        ["continuing_subword_prefix"] = null,
        ["end_of_word_suffix"] = null,
        ["fuse_unk"] = false,
        ["byte_fallback"] = false,
        ["ignore_merges"] = false,
        ["vocab"] = Vocabulary(trained.Tokens),
        ["merges"] = new JsonArray([.. trained.Merges.Select(merge => new JsonArray(merge.Left, merge.Right))]),
    };

    public static JsonObject WordPiece(IReadOnlyList<string> tokens, string prefix, string unknown) => new()
    {
        ["type"] = "WordPiece",
        ["unk_token"] = unknown,
        ["continuing_subword_prefix"] = prefix,
        ["max_input_chars_per_word"] = MaximumWordLength,
        ["vocab"] = Vocabulary(tokens),
    };

    public static JsonObject WordLevel(IReadOnlyList<string> tokens, string unknown) => new()
    {
        ["type"] = "WordLevel",
        ["vocab"] = Vocabulary(tokens),
        ["unk_token"] = unknown,
    };

    public static JsonObject Unigram(IReadOnlyList<(string Token, double Score)> tokens, string unknown) => new()
    {
        ["type"] = "Unigram",
        ["unk_id"] = tokens.Select(token => token.Token).ToList().IndexOf(unknown),
        ["vocab"] = new JsonArray([.. tokens.Select(token => new JsonArray(token.Token, token.Score))]),
        ["byte_fallback"] = false,
    };

    private static JsonObject Vocabulary(IReadOnlyList<string> tokens) =>
        new(tokens.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id)));
}
