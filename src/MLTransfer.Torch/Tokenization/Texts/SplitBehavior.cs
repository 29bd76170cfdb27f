namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>What becomes of a match where a text is split; the names are those of tokenizer.json.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}
