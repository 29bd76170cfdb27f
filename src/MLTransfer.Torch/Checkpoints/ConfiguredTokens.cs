using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Checkpoints;

/// <summary>The token ids that a <c>config.json</c> names.</summary>
/// <param name="configuration">Its content.</param>
/// <param name="vocabularySize">The number of token ids.</param>
internal sealed class ConfiguredTokens(JsonObject configuration, int vocabularySize)
{
    private const string DecoderStart = "decoder_start_token_id";
    private const string Beginning = "bos_token_id";

    /// <summary>What a decoder that looks at an encoder begins with.</summary>
    /// <exception cref="InvalidDataException">The file names no token for it, or one outside the vocabulary.</exception>
    public int DecoderStartId
    {
        get
        {
            var name = configuration[DecoderStart] is null ? Beginning : DecoderStart;
            if (configuration[name] is not { } entry)
                throw new InvalidDataException($"config.json names no token that the decoder begins with: {DecoderStart} or {Beginning}.");
            return Ids(name) is [var id, ..]
                ? id
                : throw new InvalidDataException(
                    $"config.json: {name} is {entry.ToJsonString()}; the model's vocabulary has ids 0 to {vocabularySize - 1}.");
        }
    }

    /// <summary>One id or several; none where the entry is missing.</summary>
    /// <exception cref="InvalidDataException">The entry is no id and no list of ids.</exception>
    public int[] Ids(string name) => configuration[name] is { } entry ? InVocabulary(List(name, entry)) : [];

    /// <summary>Lists of ids; none where the entry is missing. Lists with an id that the model can never give are left out.</summary>
    /// <exception cref="InvalidDataException">The entry is no list of lists of ids.</exception>
    public int[][] Sequences(string name) => configuration[name] is not { } entry ? []
        : entry is not JsonArray lists ? throw Malformed(name, entry, "a list of lists of token ids")
        :
        [
            .. lists.Select(list => list is JsonArray { Count: > 0 } ids
                    ? List(name, ids).ToArray() : throw Malformed(name, entry, "a list of lists of token ids"))
                .Where(ids => Array.TrueForAll(ids, id => (uint)id < (uint)vocabularySize)),
        ];

    /// <summary>Leaves out ids that the model can never give.</summary>
    public int[] InVocabulary(IEnumerable<int> ids) => [.. ids.Where(id => (uint)id < (uint)vocabularySize).Distinct()];

    private static IEnumerable<int> List(string name, JsonNode entry) =>
        (entry as IEnumerable<JsonNode?> ?? [entry]).Select(node => node is JsonValue value && value.TryGetValue(out int id)
            ? id : throw Malformed(name, entry, "a token id or a list of them"));

    private static InvalidDataException Malformed(string name, JsonNode entry, string expected) =>
        new($"config.json: {name} is {entry.ToJsonString()}; expected {expected}.");
}
