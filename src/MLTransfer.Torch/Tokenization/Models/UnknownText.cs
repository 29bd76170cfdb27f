namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>The error for a text that a vocabulary cannot express.</summary>
internal static class UnknownText
{
    public static InvalidDataException WithoutToken(ReadOnlySpan<char> word, string? token)
    {
        string shown = word.Length > 40 ? $"{word[..40]}..." : word.ToString();
        return new($"The tokenizer has no token for '{shown}', and no unknown token to stand for it " +
            $"({(token is null ? "its file names none" : $"'{token}' is not in its vocabulary")}).");
    }
}
