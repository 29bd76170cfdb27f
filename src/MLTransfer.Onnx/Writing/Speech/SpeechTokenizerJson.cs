using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Tokenization.Speech;

namespace MLTransfer.Onnx.Writing.Speech;

/// <summary>
/// The <c>tokenizer.json</c> that transformers.js reads for a VITS: the steps of a <see cref="SpeechTokenizer"/> as normalizers.
/// </summary>
internal static class SpeechTokenizerJson
{
    private const string FileName = "tokenizer.json";

    /// <summary>Writes the file, where those steps can do what the tokenizer does: they make no phonemes and no Latin letters.</summary>
    public static void Write(SpeechTokenizer tokenizer, string folder)
    {
        if (!tokenizer.ReadsPhonemes && !tokenizer.ReadsRomanized)
            AtomicFile.WriteAllText(Path.Combine(folder, FileName), Create(tokenizer).ToJsonString() + "\n");
    }

    private static JsonObject Create(SpeechTokenizer tokenizer)
    {
        var (options, vocabulary) = (tokenizer.Options, tokenizer.Vocabulary);
        var steps = new JsonArray();
        if (options.Normalizes)
            steps.Add(new JsonObject { ["type"] = "Lowercase" });
        if (options.Language == SpeechTokenizerOptions.Romanian)
            steps.Add(Replace("String", "\u021B", "\u0163"));
        if (options.Normalizes)
        {
            var known = string.Concat(vocabulary.Ids.Keys.Where(token => token.EnumerateRunes().Count() == 1).Select(Escape));
            steps.Add(Replace("Regex", $"[^{known}]", ""));
            steps.Add(new JsonObject { ["type"] = "Strip", ["strip_left"] = true, ["strip_right"] = true });
        }

        if (options.AddsBlanks)
            steps.Add(Replace("Regex", "(?=.)|(?<!^)$", vocabulary.TokenOf(0)!)); // before each character and behind the last
        var unknown = options.UnknownToken is { } token && vocabulary.Ids.TryGetValue(token, out var id)
            ? new JsonArray(new JsonObject
            {
                ["id"] = id, ["content"] = token, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false,
                ["normalized"] = false, ["special"] = true,
            })
            : [];
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = unknown,
            ["normalizer"] = steps.Count == 0 ? null : new JsonObject { ["type"] = "Sequence", ["normalizers"] = steps },
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = "" }, ["behavior"] = "Isolated", ["invert"] = false,
            },
            ["post_processor"] = null,
            ["decoder"] = null,
            ["model"] = new JsonObject
            {
                ["vocab"] = new JsonObject(
                    vocabulary.Ids.OrderBy(entry => entry.Value).Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value))),
            },
        };
    }

    private static JsonObject Replace(string kind, string pattern, string content) => new()
    {
        ["type"] = "Replace", ["pattern"] = new JsonObject { [kind] = pattern }, ["content"] = content,
    };

    /// <summary>A character between the brackets of a regular expression of JavaScript.</summary>
    private static string Escape(string character) => character is "]" or "[" or "\\" or "^" or "-" or "/" ? "\\" + character : character;
}
