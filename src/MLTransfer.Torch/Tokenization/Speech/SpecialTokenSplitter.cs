using System.Collections.Immutable;

namespace MLTransfer.Torch.Tokenization.Speech;

/// <summary>
/// Cuts texts at special tokens, the leftmost first and of those the longest, with the results of the tokenizers of transformers that are
/// written in Python.
/// </summary>
internal sealed class SpecialTokenSplitter
{
    private readonly Dictionary<string, (AddedToken Token, int Id)> _tokens = new(StringComparer.Ordinal);
    private readonly ImmutableArray<string> _longestFirst;

    /// <param name="options">Have the tokens.</param>
    /// <param name="vocabulary">Has the ids of those whose ids no file tells; one that it lacks gets the next free id.</param>
    public SpecialTokenSplitter(SpeechTokenizerOptions options, TokenVocabulary vocabulary)
    {
        foreach (var (token, id) in options.SpecialTokens)
        {
            var known = id ?? (vocabulary.Ids.TryGetValue(token.Content, out var found) ? found : null);
            _tokens[token.Content] =
                (token, known ?? vocabulary.Ids.Count + _tokens.Keys.Count(other => !vocabulary.Ids.ContainsKey(other)));
        }

        _longestFirst = [.. _tokens.Keys.OrderByDescending(content => content.Length)];
        Pieces = [.. vocabulary.Ids.Keys, .. _tokens.Keys];
    }

    /// <summary>All that is a token, in the order in which a text is searched for it.</summary>
    public ImmutableArray<string> Pieces { get; }

    public string? TokenOf(int id) => _tokens.FirstOrDefault(token => token.Value.Id == id).Key;

    /// <summary>The pieces of a text: special tokens with their ids, and what is between them.</summary>
    public IReadOnlyList<(string Piece, int? Id)> Split(string text)
    {
        var pieces = Cut(text);
        for (var i = 0; i < pieces.Count; i++)
        {
            if (pieces[i].Id is null)
                continue;
            var token = _tokens[pieces[i].Piece].Token;
            var (left, right) = (i > 0 ? pieces[i - 1].Piece : "", i < pieces.Count - 1 ? pieces[i + 1].Piece : "");
            if (token.RightStrip && right.Length > 0)
                pieces[i + 1] = pieces[i + 1] with { Piece = TrimStart(right) };
            if (token.LeftStrip && left.Length > 0)
                pieces[i - 1] = pieces[i - 1] with { Piece = TrimEnd(left) };
            if (!token.SingleWord) // by the neighbours as they were, spaces included
                continue;
            if (left.Length > 0 && left[^1] != ' ')
                (pieces[i - 1], pieces[i]) = ((pieces[i - 1].Piece + token.Content, pieces[i - 1].Id), ("", null));
            else if (right.Length > 0 && right[0] != ' ')
                (pieces[i + 1], pieces[i]) = ((token.Content + pieces[i + 1].Piece, pieces[i + 1].Id), ("", null));
        }

        return pieces;
    }

    private List<(string Piece, int? Id)> Cut(string text)
    {
        var pieces = new List<(string Piece, int? Id)>();
        var start = 0;
        for (var i = 0; i < text.Length;)
        {
            if (_longestFirst.FirstOrDefault(content => text.AsSpan(i).StartsWith(content, StringComparison.Ordinal)) is not { } found)
            {
                i++;
                continue;
            }

            if (i > start)
                pieces.Add((text[start..i], null));
            pieces.Add((found, _tokens[found].Id));
            start = i += found.Length;
        }

        if (start < text.Length)
            pieces.Add((text[start..], null));
        return pieces;
    }

    private static string TrimStart(string text) => string.Concat(text.SkipWhile(SpeechText.IsSpace));

    private static string TrimEnd(string text)
    {
        var end = text.Length;
        while (end > 0 && SpeechText.IsSpace(text[end - 1]))
            end--;
        return text[..end];
    }
}
