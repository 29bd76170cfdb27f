namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>A text that pre-tokenizers cut into pieces; no piece is empty.</summary>
internal sealed class TextPieces
{
    private readonly List<TextMatch> _matches = [];
    private List<(int Start, int End)> _pieces = [];
    private List<(int Start, int End)> _next = [];

    public TextPieces(AlignedText text)
    {
        Text = text;
        if (text.Length > 0)
            _pieces.Add((0, text.Length));
    }

    public AlignedText Text { get; }

    /// <summary>The pieces in order: the first unit of each and one past its last.</summary>
    public List<(int Start, int End)> Pieces => _pieces;

    /// <summary>Cuts every piece at the matches of a pattern.</summary>
    /// <param name="pattern">The pattern, which sees one piece at a time.</param>
    /// <param name="behavior">What becomes of the matches.</param>
    /// <param name="invert">Whether what is between matches counts as the match.</param>
    public void Split(ITextPattern pattern, SplitBehavior behavior, bool invert = false)
    {
        _next.Clear();
        foreach ((int start, int end) in _pieces)
        {
            _matches.Clear();
            pattern.FindMatches(Text.Units[start..end], _matches);
            AddPieces(start, behavior, invert);
        }

        (_pieces, _next) = (_next, _pieces);
    }

    /// <summary>Cuts every piece by a rule of its own.</summary>
    /// <param name="cut">Appends the parts of a piece, counted from its beginning; what it leaves out is dropped.</param>
    public void Cut(PieceCutter cut)
    {
        _next.Clear();
        foreach ((int start, int end) in _pieces)
        {
            int first = _next.Count;
            cut(Text.Units[start..end], _next);
            for (int i = first; i < _next.Count; i++)
                _next[i] = (_next[i].Start + start, _next[i].End + start);
        }

        (_pieces, _next) = (_next, _pieces);
    }

    /// <summary>Writes every piece anew.</summary>
    /// <param name="rewrite">Writes what becomes of a piece, given by its first unit and one past its last.</param>
    public void Rewrite(Action<AlignedText, int, int, AlignedTextWriter> rewrite)
    {
        AlignedTextWriter writer = Text.Rewrite(Text.Length + _pieces.Count);
        for (int i = 0; i < _pieces.Count; i++)
        {
            int start = writer.Length;
            rewrite(Text, _pieces[i].Start, _pieces[i].End, writer);
            _pieces[i] = (start, writer.Length);
        }

        Text.Take(writer);
        _pieces.RemoveAll(piece => piece.Start == piece.End);
    }

    private void AddPieces(int offset, SplitBehavior behavior, bool invert)
    {
        // Whether the last part was a match; parts come in order, and so do pieces.
        bool previous = false;
        int first = _next.Count;
        if (behavior == SplitBehavior.MergedWithNext)
        {
            AddMergedWithNext(offset, invert);
            return;
        }

        foreach (TextMatch match in _matches)
        {
            bool isMatch = match.IsMatch != invert;
            (int start, int end) = (match.Start + offset, match.End + offset);
            bool joins = _next.Count > first && (behavior == SplitBehavior.Contiguous && isMatch == previous
                || behavior == SplitBehavior.MergedWithPrevious && isMatch && !previous);
            previous = isMatch;
            if (joins)
                _next[^1] = (_next[^1].Start, end);
            else if (start < end && !(isMatch && behavior == SplitBehavior.Removed))
                _next.Add((start, end));
        }
    }

    private void AddMergedWithNext(int offset, bool invert)
    {
        for (int i = 0; i < _matches.Count; i++)
        {
            (int start, int end) = (_matches[i].Start + offset, _matches[i].End + offset);

            // Seen from behind, a match joins what follows unless that is a match too.
            if (_matches[i].IsMatch != invert && i + 1 < _matches.Count && _matches[i + 1].IsMatch == invert)
                end = _matches[++i].End + offset;
            if (start < end)
                _next.Add((start, end));
        }
    }
}

/// <summary>Cuts a piece of text into parts, each with its first unit and one past its last.</summary>
internal delegate void PieceCutter(ReadOnlySpan<char> piece, List<(int Start, int End)> parts);
