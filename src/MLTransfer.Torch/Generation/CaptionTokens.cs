using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation;

/// <summary>Captions as the text encoder reads them.</summary>
internal static class CaptionTokens
{
    /// <summary>The ids of a caption, special tokens included; null for no caption.</summary>
    /// <param name="vocabulary">The number of token ids of the text encoder.</param>
    /// <param name="longest">The most tokens that it reads.</param>
    /// <param name="tokenizer">The text encoder's; null where there are no captions.</param>
    /// <param name="caption">Null or empty for none.</param>
    /// <exception cref="ArgumentException">There is no tokenizer, or it is not the text encoder's.</exception>
    public static int[]? Read(int vocabulary, int longest, TextTokenizer? tokenizer, string? caption)
    {
        if (string.IsNullOrEmpty(caption))
            return null;
        var ids = tokenizer?.Encode(caption)
            ?? throw new ArgumentException("A caption needs the tokenizer of the model's text encoder.", nameof(tokenizer));
        if (ids.FirstOrDefault(id => (uint)id >= (uint)vocabulary, -1) is var strange and >= 0)
        {
            throw new ArgumentException(
                $"The caption has the token id {strange}; the text encoder's vocabulary has {vocabulary}. Do tokenizer and model belong "
                + "together?", nameof(caption));
        }

        return ids.Length <= longest ? ids : [.. ids[..(longest - 1)], ids[^1]];
    }
}
