namespace MLTransfer.Torch.Tokenization.SentencePiece;

/// <summary>SentencePiece's models of words, which begin with '▁', and of characters.</summary>
internal sealed class PieceSplitModel(SentencePieceFile file, string name) : SentencePieceModel(file, name)
{
    private const int Words = 3;
    private const char SpaceSign = '\u2581';

    protected override void Find(ReadOnlySpan<char> text, List<(int Start, int Id)> pieces)
    {
        for (int start = 0; start < text.Length;)
        {
            int length = File.ModelType == Words ? WordLength(text[start..]) : Prefixes.FirstLength(text[start..], out _);
            pieces.Add((start, IdOf(text.Slice(start, length))));
            start += length;
        }
    }

    private static int WordLength(ReadOnlySpan<char> text)
    {
        int next = text[1..].IndexOf(SpaceSign);
        return next < 0 ? text.Length : next + 1;
    }
}
