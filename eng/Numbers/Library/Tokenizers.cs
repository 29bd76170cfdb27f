using MLTransfer.Torch.Tokenization;

namespace Numbers.Library;

/// <summary>Tokens of texts, by the tokenizer of a model folder.</summary>
internal static class Tokenizers
{
    public static int[] Encode(string folder, string text) => TextTokenizer.Load(folder).Encode(text);

    public static string Decode(string folder, int[] ids) => TextTokenizer.Load(folder).Decode(ids);

    /// <summary>Ids and masks of texts in one batch, padded on the left to a multiple of 8, 40 tokens at most.</summary>
    public static (long[] Ids, long[] Mask) EncodeBatch(string folder, string[] texts)
    {
        var batch = TextTokenizer.Load(folder).EncodeBatch(texts, new EncodingOptions
        {
            MaximumLength = 40, PaddingSide = SequenceSide.Left, PadToMultipleOf = 8, PaddingId = 0,
        });
        return (batch.InputIds, batch.AttentionMask);
    }
}
