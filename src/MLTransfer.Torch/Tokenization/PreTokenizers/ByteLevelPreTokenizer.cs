using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization.PreTokenizers;

/// <summary>Cuts by GPT-2's pattern and writes each byte as the character that stands for it.</summary>
/// <param name="addsPrefixSpace">Whether a space is put before pieces that do not begin with one.</param>
/// <param name="splitsWords">Whether pieces are cut by <see cref="Gpt2PreTokenizer"/>.</param>
/// <param name="writesBytes">Whether bytes are written; else the model reads them from the text itself.</param>
internal sealed class ByteLevelPreTokenizer(bool addsPrefixSpace, bool splitsWords, bool writesBytes = true) : IPreTokenizer
{
    public bool AddsPrefixSpace { get; } = addsPrefixSpace;

    public bool SplitsWords { get; } = splitsWords;

    public bool WritesBytes { get; } = writesBytes;

    public void PreTokenize(TextPieces pieces)
    {
        if (AddsPrefixSpace && pieces.Pieces.Exists(piece => pieces.Text.Units[piece.Start] != ' '))
            pieces.Rewrite(AddSpace);
        if (SplitsWords)
            pieces.Cut(CutWords);
        if (WritesBytes)
            pieces.Rewrite(ByteLevelNormalizer.Write);
    }

    private static void AddSpace(AlignedText text, int start, int end, AlignedTextWriter writer)
    {
        if (text.Units[start] != ' ')
            writer.Insert(' ', start);
        writer.Copy(start, end - start);
    }

    private static void CutWords(ReadOnlySpan<char> piece, List<(int Start, int End)> words)
    {
        for (int start = 0; start < piece.Length;)
        {
            int end = start + Gpt2PreTokenizer.FirstWordLength(piece[start..]);
            words.Add((start, end));
            start = end;
        }
    }
}
