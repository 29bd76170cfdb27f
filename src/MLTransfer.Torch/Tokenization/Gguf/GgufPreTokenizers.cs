using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Tokenization.Gguf;

/// <summary>
/// How texts are cut into words by the names of <c>tokenizer.ggml.pre</c>: the stages of a <c>tokenizer.json</c> that cut alike.
/// </summary>
internal static class GgufPreTokenizers
{
    private const string CamelWords =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+";

    private const string CapitalWords =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";

    private const string SignsAndSpaces = @" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static readonly JsonObject s_bytes = Bytes(splits: false);

    private static readonly Entry[] s_all =
    [
        new(["gpt-2", "olmo", "mpt", "phi-2", "jais", "trillion"], [Bytes(splits: true)]),
        new(["llama-bpe", "llama3", "llama-v3"], [Split(Words(digits: "{1,3}")), s_bytes]) { IgnoresMerges = true, AddsBeginning = true },
        new(["smaug-bpe", "dbrx"], [Split(Words(digits: "{1,3}")), s_bytes]),
        new(["qwen2", "stablelm2", "deepseek-r1-qwen"], [Split(Words(digits: "")), s_bytes]),
        new(["smollm", "starcoder", "refact", "command-r"],
            [new() { ["type"] = "Digits", ["individual_digits"] = true }, Bytes(splits: true)]),
        new(["tekken"], [Split($@"{CamelWords}|{CapitalWords}|\p{{N}}|{SignsAndSpaces}"), s_bytes]) { IgnoresMerges = true, AddsBeginning =
            true },
        new(["gpt-4o"], [Split(
            $@"{CamelWords}(?i:'s|'t|'re|'ve|'m|'ll|'d)?|{CapitalWords}(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{{N}}{{1,3}}|{SignsAndSpaces}"),
                s_bytes]),
    ];

    /// <summary>The names that are read; the first of each way of cutting is written.</summary>
    public static string Names => string.Join(", ", s_all.SelectMany(entry => entry.Names));

    /// <summary>A way of cutting.</summary>
    /// <param name="Names">What files call it.</param>
    /// <param name="Stages">The stages of a <c>tokenizer.json</c>.</param>
    public sealed record Entry(string[] Names, JsonObject[] Stages)
    {
        /// <summary>Whether a word that is a token is taken whole.</summary>
        public bool IgnoresMerges { get; init; }

        /// <summary>Whether texts begin with a token where a file does not say.</summary>
        public bool AddsBeginning { get; init; }
    }

    /// <summary>The way of cutting of a name; null where it is not known.</summary>
    public static Entry? Find(string name) => s_all.FirstOrDefault(entry => entry.Names.Contains(name));

    /// <summary>The name of how a <c>tokenizer.json</c> cuts; null where it has none.</summary>
    /// <param name="preTokenizer">The <c>pre_tokenizer</c>.</param>
    /// <param name="ignoresMerges">Whether a word that is a token is taken whole.</param>
    public static string? NameOf(JsonNode? preTokenizer, bool ignoresMerges)
    {
        var stages = Flatten(preTokenizer).Select(Signature).ToList();
        return s_all.FirstOrDefault(entry => entry.IgnoresMerges == ignoresMerges && entry.Stages.Select(Signature).SequenceEqual(stages))
            ?.Names[0];
    }

    private static IEnumerable<JsonNode> Flatten(JsonNode? stage) => stage is null ? []
        : $"{stage["type"]}" == "Sequence" ? (stage["pretokenizers"] as JsonArray ?? []).SelectMany(Flatten) : [stage];

    /// <summary>What of a stage decides on where is cut.</summary>
    private static string Signature(JsonNode stage) => $"{stage["type"]}" switch
    {
        "ByteLevel" => $"bytes {stage["use_regex"]?.ToString() ?? "true"} {stage["add_prefix_space"]?.ToString() ?? "false"}",
        "Split" => $"split {stage["pattern"]?.ToJsonString()} {stage["behavior"]} {stage["invert"]?.ToString() ?? "false"}",
        _ => stage.ToJsonString(),
    };

    private static string Words(string digits) =>
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + digits
        + @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private static JsonObject Split(string pattern) => new()
    {
        ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated", ["invert"] = false,
    };

    private static JsonObject Bytes(bool splits) => new()
    {
        ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = splits,
    };
}
