namespace MLTransfer.Torch.Tokenization.Decoders;

/// <summary>Takes out spaces that English does not write before marks and contractions.</summary>
internal static class EnglishCleanup
{
    private static readonly (string Old, string New)[] s_edits =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"),
        (" 're", "'re"),
    ];

    // What edits begin at; the first edits make the last of what stands there.
    private static readonly string[] s_patterns = [.. s_edits.Select(edit => edit.Old), " n ' t"];

    /// <summary>The edits of `clean_up_tokenization` of transformers.</summary>
    public static string OfText(string text) => Edit(text, s_edits);

    /// <summary>The edits of the WordPiece and CTC decoders, which have one more.</summary>
    public static string OfToken(string token) => token.Contains(' ')
        ? Edit(Edit(token, s_edits.AsSpan(0, 7)).Replace(" do not", " don't", StringComparison.Ordinal), s_edits.AsSpan(7))
        : token;

    /// <summary>How much of the end of a text may yet be edited, by what follows.</summary>
    public static int OpenEnd(string text)
    {
        int open = 0;
        foreach (string pattern in s_patterns)
        {
            for (int length = Math.Min(pattern.Length - 1, text.Length); length > open; length--)
            {
                if (pattern.StartsWith(text[^length..], StringComparison.Ordinal))
                    open = length;
            }
        }

        // A quote with a space on each side: that space may be the one that what is open begins with.
        while (text.AsSpan(0, text.Length - open).EndsWith(" '", StringComparison.Ordinal))
            open += 2;
        return open;
    }

    private static string Edit(string text, ReadOnlySpan<(string Old, string New)> edits)
    {
        foreach ((string old, string replacement) in edits)
            text = text.Replace(old, replacement, StringComparison.Ordinal);
        return text;
    }
}
