namespace MLTransfer.Torch.Tokenization;

/// <summary>Texts as one rectangle of token ids with its attention mask.</summary>
public sealed class EncodedBatch
{
    internal EncodedBatch(long[] inputIds, long[] attentionMask, int rows, int length) =>
        (InputIds, AttentionMask, Rows, Length) = (inputIds, attentionMask, rows, length);

    /// <summary>Token ids, [<see cref="Rows"/>, <see cref="Length"/>] row-major.</summary>
    public long[] InputIds { get; }

    /// <summary>1 for a token of the text, 0 for padding; [<see cref="Rows"/>, <see cref="Length"/>] row-major.</summary>
    public long[] AttentionMask { get; }

    /// <summary>The number of texts.</summary>
    public int Rows { get; }

    /// <summary>The number of tokens in every row, padding included.</summary>
    public int Length { get; }
}
