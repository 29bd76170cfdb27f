using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Tokenization;

/// <summary>Puts further tokens into a tokenizer's files, as <c>add_tokens</c> of transformers and <c>save_pretrained</c> do.</summary>
internal static class TokenizerAdditions
{
    private static readonly JsonSerializerOptions s_written = new()
    {
        WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // as Python writes other alphabets
    };

    /// <summary>The files with tokens that get the ids behind the largest there is.</summary>
    /// <param name="files">The tokenizer's.</param>
    /// <param name="tokens">Those whose texts are no token yet, each once.</param>
    public static IReadOnlyDictionary<string, byte[]> Write(IReadOnlyDictionary<string, byte[]> files, IReadOnlyList<AddedToken> tokens)
    {
        var parts = TokenizerParts.Read(files);
        var listed = parts.Description.AddedTokens.Select(entry => entry.Token.Content)
            .Concat(parts.Configuration.AddedTokens.Select(entry => entry.Token.Content)).ToHashSet(StringComparer.Ordinal);

        // Special tokens that no list has got their ids from the size of the vocabulary: a list has to have them now.
        var added = parts.AddedTokens.Values.Where(entry => !listed.Contains(entry.Token.Content)).OrderBy(entry => entry.Id)
            .Concat(tokens.Select((token, i) => (Token: token, Id: parts.Vocabulary.Size + i))).ToList();
        var written = new Dictionary<string, byte[]>(files, StringComparer.Ordinal);
        var configuration = Parse(TokenizerFiles.Configuration);
        var decoder = configuration?["added_tokens_decoder"]?.AsObject();
        if (decoder is null && !files.ContainsKey(TokenizerFiles.Tokenizer) && tokens.Any(token => token.SingleWord || token.LeftStrip))
        {
            // added_tokens.json has no flags, and is not read beside the list that has them
            decoder = [];
            foreach (var (token, id, _) in parts.Configuration.AddedTokens)
                decoder[$"{id}"] = Format(token);
            configuration ??= [];
            configuration["added_tokens_decoder"] = decoder;
            written.Remove(TokenizerFiles.AddedTokens);
        }

        foreach (var (token, id) in decoder is null ? [] : added)
            decoder![$"{id}"] = Format(token);
        if (decoder is not null)
            Put(TokenizerFiles.Configuration, configuration!);
        if (Parse(TokenizerFiles.Tokenizer) is { } tokenizer)
        {
            if (tokenizer["added_tokens"] is not JsonArray list)
                tokenizer["added_tokens"] = list = [];
            foreach (var (token, id) in added)
            {
                var entry = Format(token);
                entry.Insert(0, "id", id);
                list.Add(entry);
            }

            Put(TokenizerFiles.Tokenizer, tokenizer);
        }
        else if (decoder is null)
        {
            var ids = Parse(TokenizerFiles.AddedTokens) ?? [];
            foreach (var (token, id) in added)
                ids[token.Content] = id;
            Put(TokenizerFiles.AddedTokens, ids);
        }

        return written;

        JsonObject? Parse(string name) => files.TryGetValue(name, out var content) ? JsonContent.ParseObject(content, name) : null;

        void Put(string name, JsonObject json) => written[name] = JsonSerializer.SerializeToUtf8Bytes(json, s_written);
    }

    private static JsonObject Format(AddedToken token) => new()
    {
        ["content"] = token.Content, ["single_word"] = token.SingleWord, ["lstrip"] = token.LeftStrip, ["rstrip"] = token.RightStrip,
        ["normalized"] = token.Normalized, ["special"] = token.Special,
    };
}
