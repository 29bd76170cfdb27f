using System.Text;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Tokenization.Conversion;
using MLTransfer.Torch.Tokenization.SentencePiece;
using Keys = MLTransfer.Torch.Tokenization.Gguf.GgufTokenizerKeys;

namespace MLTransfer.Torch.Tokenization.Gguf;

/// <summary>Makes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> of the metadata of a GGUF file.</summary>
internal sealed class GgufTokenizerReader
{
    private const string SpaceSign = "\u2581";

    private readonly GgufMetadata _metadata;
    private readonly string _model;
    private readonly IReadOnlyList<string> _tokens;
    private readonly IReadOnlyList<PieceKind> _kinds;

    private GgufTokenizerReader(GgufMetadata metadata)
    {
        _metadata = metadata;
        _model = metadata.Text(Keys.Model);
        _tokens = metadata.Texts(Keys.Tokens) ?? throw metadata.Invalid($"the metadata has no entry '{Keys.Tokens}', which is needed");
        if (_tokens.Count is 0 or > TokenVocabulary.MaximumSize)
            throw metadata.Invalid($"'{Keys.Tokens}' has {_tokens.Count} tokens; expected 1 to {TokenVocabulary.MaximumSize}");
        _kinds = [.. OfLength(Keys.Kinds)?.Select(kind => (PieceKind)kind) ?? Enumerable.Repeat(PieceKind.Normal, _tokens.Count)];
    }

    /// <summary>The tokenizer's files by name.</summary>
    /// <exception cref="InvalidDataException">The metadata is malformed or has no tokenizer.</exception>
    /// <exception cref="NotSupportedException">The file has a tokenizer of another kind.</exception>
    public static Dictionary<string, byte[]> Read(GgufMetadata metadata) => new GgufTokenizerReader(metadata).Read();

    private Dictionary<string, byte[]> Read()
    {
        var tokenizer = new JsonObject
        {
            ["version"] = "1.0", ["truncation"] = null, ["padding"] = null, ["added_tokens"] = AddedTokens(),
        };
        switch (_model)
        {
            case Keys.BytePairs:
                AddBytePairs(tokenizer);
                break;
            case Keys.Pieces:
                AddPieces(tokenizer);
                break;
            case Keys.Unigram:
                AddUnigram(tokenizer);
                break;
            default:
                throw new NotSupportedException(
                    $"'{_metadata.Location}': {Keys.Model} is '{_model}'; supported are {Keys.BytePairs}, {Keys.Pieces} and "
                    + $"{Keys.Unigram}.");
        }

        return new Dictionary<string, byte[]>
        {
            [TokenizerFiles.Tokenizer] = Encoding.UTF8.GetBytes(tokenizer.ToJsonString()),
            [TokenizerFiles.Configuration] = Encoding.UTF8.GetBytes(Configuration().ToJsonString()),
        };
    }

    private IReadOnlyList<double>? OfLength(string key) => _metadata.Numbers(key) is not { } list || list.Count == _tokens.Count
        ? _metadata.Numbers(key) : throw _metadata.Invalid($"'{key}' has {list.Count} entries; expected {_tokens.Count}, one a token");

    private int? Id(string key) => _metadata.OptionalWhole(key, 0, _tokens.Count - 1);

    /// <summary>Whether an id has a token: what is unused is there only because the network has a row for it.</summary>
    private bool IsUsed(int id) => _kinds[id] != PieceKind.Unused;

    private JsonArray AddedTokens()
    {
        var added = new JsonArray();
        for (var id = 0; id < _tokens.Count; id++)
        {
            if (_kinds[id] is PieceKind.Control or PieceKind.Unknown or PieceKind.UserDefined)
            {
                added.Add(new JsonObject
                {
                    ["id"] = id, ["content"] = _tokens[id], ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false,
                    ["normalized"] = false, ["special"] = _kinds[id] != PieceKind.UserDefined,
                });
            }
        }

        return added;
    }

    private void AddBytePairs(JsonObject tokenizer)
    {
        var name = _metadata.Text(Keys.PreTokenizer);
        var cutting = GgufPreTokenizers.Find(name) ?? throw new NotSupportedException(
            $"'{_metadata.Location}': {Keys.PreTokenizer} is '{name}'; supported are {GgufPreTokenizers.Names}.");
        var vocabulary = new JsonObject();
        for (var id = 0; id < _tokens.Count; id++)
        {
            if (IsUsed(id) && !vocabulary.TryAdd(_tokens[id], id))
                throw _metadata.Invalid($"the token '{_tokens[id]}' is there twice");
        }

        tokenizer["normalizer"] = null;
        tokenizer["pre_tokenizer"] = Sequence("pretokenizers", [.. cutting.Stages.Select(stage => stage.DeepClone())]);
        tokenizer["decoder"] = new JsonObject { ["type"] = "ByteLevel" };
        tokenizer["model"] = new JsonObject
        {
            ["type"] = "BPE", ["ignore_merges"] = cutting.IgnoresMerges, ["vocab"] = vocabulary,
            ["merges"] = new JsonArray([.. (_metadata.Texts(Keys.Merges) ?? []).Select(merge => (JsonNode)merge)]),
        };
        AddSurroundings(tokenizer, cutting.AddsBeginning, ends: false);
    }

    private void AddPieces(JsonObject tokenizer)
    {
        var scores = OfLength(Keys.Scores) ?? throw _metadata.Invalid($"the metadata has no entry '{Keys.Scores}', which is needed");
        var vocabulary = new TokenVocabulary(_metadata.Location);
        var pieces = new List<(string Text, float Score)>(_tokens.Count);
        var entries = new JsonObject();
        for (var id = 0; id < _tokens.Count; id++)
        {
            pieces.Add((_tokens[id], (float)scores[id]));
            if (!IsUsed(id))
                continue;
            vocabulary.Add(_tokens[id], id, _metadata.Location);
            entries.TryAdd(_tokens[id], id);
        }

        var addsSpace = _metadata.OptionalFlag(Keys.AddsSpace) ?? true;
        tokenizer["normalizer"] = Sequence("normalizers", [.. addsSpace ? [Stage("Prepend", ("prepend", SpaceSign))] : (JsonNode[])[],
            Stage("Replace", ("pattern", new JsonObject { ["String"] = " " }), ("content", SpaceSign))]);
        tokenizer["pre_tokenizer"] = null;
        tokenizer["decoder"] = Sequence("decoders", [
            Stage("Replace", ("pattern", new JsonObject { ["String"] = SpaceSign }), ("content", " ")), Stage("ByteFallback"),
                Stage("Fuse"),
            .. addsSpace ? [Stage("Strip", ("content", " "), ("start", 1), ("stop", 0))] : (JsonNode[])[]]);
        tokenizer["model"] = new JsonObject
        {
            ["type"] = "BPE", ["unk_token"] = Id("tokenizer.ggml.unknown_token_id") is { } unknown ? _tokens[unknown] : null,
            ["fuse_unk"] = true, ["byte_fallback"] = true, ["vocab"] = entries,
            ["merges"] = new JsonArray([.. PieceMerges.Find(pieces, vocabulary)
                .Where(merge => IsUsed(merge.Id))
                .Select(merge => (JsonNode)new JsonArray(pieces[merge.Left].Text, pieces[merge.Right].Text))]),
        };
        AddSurroundings(tokenizer, begins: true, ends: false);
    }

    private void AddUnigram(JsonObject tokenizer)
    {
        var scores = OfLength(Keys.Scores) ?? throw _metadata.Invalid($"the metadata has no entry '{Keys.Scores}', which is needed");
        var lowest = scores.Where((_, id) => IsUsed(id)).DefaultIfEmpty().Min(); // what a character without a token costs goes by it
        var map = _metadata.Bytes(Keys.CharacterMap);
        var scheme = _metadata.OptionalFlag(Keys.AddsSpace) == false ? "never" : "always";
        JsonObject Metaspace() => Stage("Metaspace", ("replacement", SpaceSign), ("prepend_scheme", scheme), ("split", true));
        tokenizer["normalizer"] = Sequence("normalizers", [
            .. map is null ? [] : (JsonNode[])[Stage("Precompiled", ("precompiled_charsmap", Convert.ToBase64String(map)))],
            .. _metadata.OptionalFlag(Keys.RemovesSpaces) == false ? [] : (JsonNode[])[
                Stage("Strip", ("strip_left", false), ("strip_right", true)),
                Stage("Replace", ("pattern", new JsonObject { ["Regex"] = " {2,}" }), ("content", SpaceSign))]]);
        tokenizer["pre_tokenizer"] = Metaspace();
        tokenizer["decoder"] = Metaspace();
        tokenizer["model"] = new JsonObject
        {
            ["type"] = "Unigram", ["unk_id"] = Id("tokenizer.ggml.unknown_token_id"), ["byte_fallback"] = false,
            ["vocab"] = new JsonArray([.. _tokens.Select((token, id) => (JsonNode)new JsonArray(token, IsUsed(id) ? scores[id] : lowest))]),
        };
        AddSurroundings(tokenizer, begins: false, ends: true);
    }

    /// <summary>The tokens before and behind a text.</summary>
    private void AddSurroundings(JsonObject tokenizer, bool begins, bool ends)
    {
        var beginning = (_metadata.OptionalFlag(Keys.AddsBeginning) ?? begins) ? Id("tokenizer.ggml.bos_token_id") : null;
        var end = (_metadata.OptionalFlag(Keys.AddsEnd) ?? ends) ? Id("tokenizer.ggml.eos_token_id") : null;
        if (beginning is null && end is null)
        {
            tokenizer["post_processor"] = null;
            return;
        }

        var special = new JsonObject();
        foreach (var id in ((int?[])[beginning, end]).OfType<int>().Distinct())
        {
            special[_tokens[id]] = new JsonObject
            {
                ["id"] = _tokens[id], ["ids"] = new JsonArray(id), ["tokens"] = new JsonArray(_tokens[id]),
            };
        }

        tokenizer["post_processor"] = new JsonObject
        {
            ["type"] = "TemplateProcessing", ["single"] = new JsonArray([.. Part("A", 0)]),
            ["pair"] = new JsonArray([.. Part("A", 0), .. Part("B", 1)]), ["special_tokens"] = special,
        };

        IEnumerable<JsonNode> Part(string sequence, int type) =>
        [
            .. Token(beginning, type), new JsonObject { ["Sequence"] = new JsonObject { ["id"] = sequence, ["type_id"] = type } },
            .. Token(end, type),
        ];

        IEnumerable<JsonNode> Token(int? id, int type) => id is not { } known ? []
            : [new JsonObject { ["SpecialToken"] = new JsonObject { ["id"] = _tokens[known], ["type_id"] = type } }];
    }

    private JsonObject Configuration()
    {
        var configuration = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast", ["clean_up_tokenization_spaces"] = false,
        };
        foreach (var (role, key) in Keys.Roles)
        {
            if (Id(key) is { } id)
                configuration[role] = _tokens[id];
        }

        if (_metadata.OptionalText(Keys.ChatTemplate) is { } template)
        {
            configuration["chat_template"] = _metadata.Texts(Keys.ChatTemplates) is not { Count: > 0 } names ? template
                : new JsonArray([
                    Template("default", template),
                    .. names.Select(name => Template(name, _metadata.Text($"{Keys.ChatTemplate}.{name}")))]);
        }

        return configuration;

        static JsonObject Template(string name, string text) => new() { ["name"] = name, ["template"] = text };
    }

    private static JsonObject Stage(string type, params ReadOnlySpan<(string Name, JsonNode Value)> options)
    {
        var stage = new JsonObject { ["type"] = type };
        foreach (var (name, value) in options)
            stage[name] = value;
        return stage;
    }

    private static JsonObject Sequence(string name, IReadOnlyList<JsonNode> stages) =>
        new() { ["type"] = "Sequence", [name] = new JsonArray([.. stages]) };
}
