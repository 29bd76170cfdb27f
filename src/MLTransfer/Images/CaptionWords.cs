using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Images;

/// <summary>Words that become tokens of captions.</summary>
internal static class CaptionWords
{
    /// <summary>A tokenizer with a token for each word; the same where it has all of them.</summary>
    /// <exception cref="ArgumentException">A word cannot become a token.</exception>
    public static TextTokenizer Add(TextTokenizer tokenizer, IReadOnlyList<string> words)
    {
        var grown = tokenizer.WithWords([.. words.Select(word => word.Trim()).Where(word => !IsToken(tokenizer, word))]);
        if (words.FirstOrDefault(word => !IsToken(grown, word)) is { } lost)
        {
            throw new ArgumentException(
                $"{nameof(ImageGeneratorOptions.TrainedWords)} has '{lost}', which cannot become a token: the tokenizer of captions leaves "
                + "nothing of it, or has its text as a part of words. Take another spelling in the option and in the captions.",
                nameof(words));
        }

        return grown;
    }

    /// <summary>The ids of a text, without those that the tokenizer puts around any.</summary>
    public static int[] Pieces(TextTokenizer tokenizer, string text)
    {
        var around = tokenizer.Encode("").ToHashSet();
        return [.. tokenizer.Encode(text).Where(id => !around.Contains(id))];
    }

    /// <summary>A network for a tokenizer that has further tokens; the one before is disposed where the result is another.</summary>
    /// <param name="network">Without adapters.</param>
    /// <param name="before">The tokenizer that it was for.</param>
    /// <param name="after">That tokenizer with further tokens behind its own.</param>
    public static TextToImageModel Grow(TextToImageModel network, TextTokenizer before, TextTokenizer after)
    {
        var (known, size) = (before.VocabularySize, after.VocabularySize);
        if (size <= known)
            return network;
        using (network)
        {
            return network.WithTokens(known, [.. Enumerable.Range(known, size - known).Select(
                id => Pieces(before, after.IdToToken(id)).Where(piece => piece != before.UnknownId && piece < known).ToArray())]);
        }
    }

    private static bool IsToken(TextTokenizer tokenizer, string word) =>
        Pieces(tokenizer, word) is [var id] && id != tokenizer.UnknownId;
}
