namespace MLTransfer.Torch.Networks.DalleMini;

/// <summary>The ids of a caption as the encoder reads them.</summary>
internal static class DalleMiniCaption
{
    /// <summary>Fills captions up, and is masked.</summary>
    public const int PaddingId = 1;

    private const int BeginningId = 0;
    private const int EndId = 2;

    /// <summary>A caption of the length that the encoder reads: one that is longer loses what is before its last token, a shorter one is
    /// padded. No caption is a beginning and an end.</summary>
    /// <param name="caption">Ids of the tokenizer; null for no caption.</param>
    /// <param name="vocabulary">The number of ids.</param>
    /// <param name="length">The most tokens.</param>
    /// <exception cref="ArgumentException">An id is none of the vocabulary's, or padding is not at the end.</exception>
    public static int[] Pad(IReadOnlyList<int>? caption, int vocabulary, int length)
    {
        caption ??= [];
        if (caption.Any(id => (uint)id >= (uint)vocabulary))
        {
            throw new ArgumentException(
                $"The caption has the token id {caption.First(id => (uint)id >= (uint)vocabulary)}; the model's vocabulary has "
                + $"{vocabulary}. Do tokenizer and model belong together?", nameof(caption));
        }

        int[] ids = WithoutPadding([.. caption]);
        if (ids.Length == 0)
            ids = [BeginningId, EndId];
        if (ids.Contains(PaddingId))
            throw new ArgumentException($"The caption has padding, token {PaddingId}, before its end.", nameof(caption));
        if (ids.Length > length)
            ids = [.. ids[..(length - 1)], ids[^1]];
        return [.. ids, .. Enumerable.Repeat(PaddingId, length - ids.Length)];
    }

    /// <summary>A caption without what it was filled up with.</summary>
    public static int[] WithoutPadding(int[] ids) => ids[..(Array.FindLastIndex(ids, static id => id != PaddingId) + 1)];
}
