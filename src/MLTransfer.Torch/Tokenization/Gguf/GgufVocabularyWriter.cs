using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Tokenization.Decoders;
using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.SentencePiece;
using Keys = MLTransfer.Torch.Tokenization.Gguf.GgufTokenizerKeys;

namespace MLTransfer.Torch.Tokenization.Gguf;

/// <summary>Writes a tokenizer as the metadata of a GGUF file.</summary>
internal sealed class GgufVocabularyWriter
{
    private const float ScoreOfAdded = -1000;
    private const float ScoreOfUnused = -1e6f;
    private const string SpaceSign = "\u2581";

    private readonly TextTokenizer _tokenizer;
    private readonly TokenizerParts _parts;
    private readonly JsonObject? _stages; // tokenizer.json; null where other files make the tokenizer
    private readonly SentencePieceFile? _pieces;

    private GgufVocabularyWriter(TextTokenizer tokenizer)
    {
        (_tokenizer, _parts) = (tokenizer, TokenizerParts.Read(tokenizer.Files));
        if (tokenizer.Files.TryGetValue(TokenizerFiles.Tokenizer, out var json))
            _stages = JsonContent.ParseObject(json, TokenizerFiles.Tokenizer);
        else if (TokenizerFiles.FindModel(tokenizer.Files) is { } model)
            _pieces = SentencePieceFile.Read(tokenizer.Files[model], model);
    }

    private BytePairOptions? BytePairs => _parts.Description.BytePairs;

    /// <summary>Adds the keys of a tokenizer.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="rows">How many tokens the network has; those that the tokenizer lacks are written as unused.</param>
    /// <param name="tellsSpaces">Whether it is told in any case that no space is put before a text.</param>
    /// <param name="metadata">Takes the keys.</param>
    /// <exception cref="NotSupportedException">llama.cpp cannot make the tokenizer's tokens; the message says what is in the
    /// way.</exception>
    public static void Write(TextTokenizer tokenizer, int rows, bool tellsSpaces, GgufMetadata metadata) =>
        new GgufVocabularyWriter(tokenizer).Write(rows, tellsSpaces, metadata);

    private void Write(int rows, bool tellsSpaces, GgufMetadata metadata)
    {
        var model = WritesBytes(_parts.Description.Decoder) && BytePairs is not null ? Keys.BytePairs
            : BytePairs is { FallsBackToBytes: true } ? Keys.Pieces
            : _parts.Description.Model is UnigramModel ? Keys.Unigram
            : throw Refused("it is neither of byte pairs over bytes, nor of SentencePiece with bytes for what has no token, nor a "
                + "unigram model");
        metadata.Add(Keys.Model, model);
        metadata.Add(Keys.PreTokenizer, model == Keys.BytePairs ? PreTokenizerName() : "default");
        var kinds = Kinds(rows, model);
        metadata.Add(Keys.Tokens, Tokens(rows));
        if (model != Keys.BytePairs)
            metadata.Add(Keys.Scores, Scores(rows, kinds, model));
        metadata.Add(Keys.Kinds, kinds.Select(kind => (int)kind).ToArray());
        if (model == Keys.BytePairs)
            metadata.Add(Keys.Merges, Merges());
        foreach (var (role, key) in Keys.Roles)
        {
            if (_parts.IdOf(role) is { } token)
                metadata.Add(key, (uint)token.Id);
        }

        if (_parts.IdOf("unk_token") is null && _parts.UnknownId is { } unknown)
            metadata.Add("tokenizer.ggml.unknown_token_id", (uint)unknown);
        WriteSurroundings(metadata, model);
        if (model != Keys.BytePairs)
            WriteSpaces(metadata, model);
        else if (tellsSpaces)
            metadata.Add(Keys.AddsSpace, false);
    }

    private static bool WritesBytes(IDecoder decoder) =>
        decoder is ByteLevelDecoder || (decoder is DecoderSequence sequence && sequence.Stages.Any(WritesBytes));

    private static NotSupportedException Refused(string what) => new($"The tokenizer cannot be written as GGUF: {what}.");

    private string PreTokenizerName()
    {
        if (_stages is not null)
        {
            if (_stages["normalizer"] is { } normalizer && $"{normalizer["type"]}" != "NFC") // which llama.cpp leaves to its caller
                throw Refused($"llama.cpp has no normalizer as {TokenizerFiles.Tokenizer} has it ({normalizer["type"]})");
            return GgufPreTokenizers.NameOf(_stages["pre_tokenizer"], BytePairs!.IgnoresMerges) ?? throw Refused(
                $"llama.cpp has no name for how the pre_tokenizer of {TokenizerFiles.Tokenizer} cuts texts");
        }

        return _parts.Configuration.Family is "Qwen2" ? "qwen2" : _parts.Configuration.AddsPrefixSpace == true
            ? throw Refused("a space is put before each text (add_prefix_space)") : "gpt-2";
    }

    private string[] Tokens(int rows) =>
        [.. Enumerable.Range(0, rows).Select(id => _parts.Vocabulary.TokenOf(id) ?? $"[PAD{id}]")];

    private PieceKind[] Kinds(int rows, string model)
    {
        var kinds = new PieceKind[rows];
        for (var id = 0; id < rows; id++)
        {
            var token = _parts.Vocabulary.TokenOf(id);
            kinds[id] = token is null || (model == Keys.Unigram && IsOfSeveralWords(token)) ? PieceKind.Unused
                : model != Keys.BytePairs && id == _parts.UnknownId ? PieceKind.Unknown
                : _parts.AddedTokens.TryGetValue(token, out var added) && added.Id == id
                    ? added.Token.Special ? PieceKind.Control : IsMerged(token, model) ? PieceKind.Normal : PieceKind.UserDefined
                : _pieces is not null && id < _pieces.Pieces.Count ? _pieces.Pieces[id].Kind
                : model == Keys.Pieces && IsByte(token) ? PieceKind.Byte
                : PieceKind.Normal;
        }

        return kinds;
    }

    /// <summary>Runs of spaces, which no text has as they are written: merges make them.</summary>
    private static bool IsMerged(string token, string model) =>
        model == Keys.Pieces && token.Contains(SpaceSign, StringComparison.Ordinal);

    /// <summary>Texts are cut into words before pieces are looked for, which llama.cpp does not do: it must not find such a
    /// piece.</summary>
    private static bool IsOfSeveralWords(string token) => token.LastIndexOf(SpaceSign, StringComparison.Ordinal) > 0;

    private static bool IsByte(string token) => token is ['<', '0', 'x', var high, var low, '>']
        && char.IsAsciiHexDigit(high) && char.IsAsciiHexDigit(low);

    /// <summary>Scores of SentencePiece, or numbers in the same order: what is merged first has the highest.</summary>
    private float[] Scores(int rows, PieceKind[] kinds, string model)
    {
        var scores = new float[rows];
        if (model == Keys.Unigram)
        {
            var own = ((UnigramModel)_parts.Description.Model!).Scores;
            for (var id = 0; id < Math.Min(rows, own.Length); id++)
                scores[id] = (float)own[id];
        }
        else if (_pieces is not null)
        {
            for (var id = 0; id < Math.Min(rows, _pieces.Pieces.Count); id++)
                scores[id] = _pieces.Pieces[id].Score;
        }
        else
        {
            Array.Fill(scores, -BytePairs!.Merges.Count);
            foreach (var (_, _, rank, id) in BytePairs.Merges)
                scores[id] = Math.Max(scores[id], -rank);
        }

        for (var id = 0; id < rows; id++)
        {
            if (kinds[id] == PieceKind.Unused)
                scores[id] = ScoreOfUnused;
            else if (kinds[id] is PieceKind.Control or PieceKind.UserDefined && model != Keys.Unigram)
                scores[id] = ScoreOfAdded;
        }

        return scores;
    }

    private string[] Merges() =>
    [
        .. BytePairs!.Merges.OrderBy(merge => merge.Rank)
            .Select(merge => $"{_parts.Vocabulary.TokenOf(merge.Left)} {_parts.Vocabulary.TokenOf(merge.Right)}"),
    ];

    private void WriteSurroundings(GgufMetadata metadata, string model)
    {
        var (leading, trailing) = _tokenizer.AroundText ?? throw Refused("the special tokens around a text depend on the text");
        if (leading.Count > 0 && (leading.Count > 1 || leading[0] != _tokenizer.BeginningOfSequenceId))
            throw Refused("texts begin with other tokens than bos_token");
        if (trailing.Count > 0 && (trailing.Count > 1 || trailing[0] != _tokenizer.EndOfSequenceId))
            throw Refused("texts end with other tokens than eos_token");
        metadata.Add(Keys.AddsBeginning, leading.Count > 0);
        if (trailing.Count > 0 || model == Keys.Unigram)
            metadata.Add(Keys.AddsEnd, trailing.Count > 0);
    }

    private void WriteSpaces(GgufMetadata metadata, string model)
    {
        var stages = _stages is null ? [] : Flatten(_stages["normalizer"], "normalizers").Concat(
            Flatten(_stages["pre_tokenizer"], "pretokenizers")).ToList();
        string[] known = model == Keys.Unigram
            ? ["Precompiled", "Replace", "Strip", "Metaspace", "WhitespaceSplit"] : ["Prepend", "Replace", "Metaspace", "Split"];
        if (stages.FirstOrDefault(stage => !known.Contains($"{stage["type"]}")) is { } unknown)
            throw Refused($"llama.cpp has no stage '{unknown["type"]}' of {TokenizerFiles.Tokenizer} for models of SentencePiece");
        metadata.Add(Keys.AddsSpace, _stages is null
            ? _parts.Configuration.Family != "Gemma" && _parts.Configuration.AddsPrefixSpace != false
            : stages.Any(stage => $"{stage["type"]}" == "Prepend"
                || ($"{stage["type"]}" == "Metaspace" && $"{stage["prepend_scheme"] ?? "always"}" != "never")));
        metadata.Add(Keys.RemovesSpaces, model == Keys.Unigram);
        var map = _pieces?.CharacterMap ?? stages.Where(stage => $"{stage["type"]}" == "Precompiled")
            .Select(stage => Convert.FromBase64String($"{stage["precompiled_charsmap"]}")).FirstOrDefault() ?? [];
        if (model == Keys.Unigram && map.Length > 0)
            metadata.Add(Keys.CharacterMap, map);
    }

    private static IEnumerable<JsonNode> Flatten(JsonNode? stage, string parts) => stage is null ? []
        : $"{stage["type"]}" == "Sequence" ? (stage[parts] as JsonArray ?? []).SelectMany(part => Flatten(part, parts)) : [stage];
}
