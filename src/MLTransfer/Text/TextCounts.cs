namespace MLTransfer.Text;

/// <summary>What reading texts has come across.</summary>
/// <param name="Empty">Rows without a text.</param>
/// <param name="Duplicates">Texts that were there before, prompts included.</param>
/// <param name="UnknownTokens">Tokens that stand for what the vocabulary cannot express.</param>
internal sealed record TextCounts(long Empty = 0, long Duplicates = 0, long UnknownTokens = 0);
