namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>Something to be found in a text.</summary>
internal interface ITextPattern
{
    /// <summary>Appends the matches and the parts between them, which together are the whole text, in order.</summary>
    void FindMatches(ReadOnlySpan<char> text, List<TextMatch> matches);
}
