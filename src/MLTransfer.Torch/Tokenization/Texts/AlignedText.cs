using System.Text;

namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>
/// A text that stages change, with the span of the original text that each UTF-16 unit stands for (`NormalizedString` of Hugging
/// Face's tokenizers, whose rules for what a changed character stands for are followed).
/// </summary>
internal sealed class AlignedText
{
    private readonly bool _isTracked;
    private char[] _units;
    private int[]? _starts;
    private int[]? _ends;

    /// <param name="text">The original text, without unpaired surrogates.</param>
    /// <param name="origin">The place of the text in the whole that spans are counted in.</param>
    /// <param name="isTracked">Whether spans are asked for after changes.</param>
    public AlignedText(ReadOnlySpan<char> text, int origin, bool isTracked)
    {
        _units = text.ToArray();
        Length = text.Length;
        Origin = origin;
        _isTracked = isTracked;
    }

    /// <summary>The place of the original text in the whole.</summary>
    public int Origin { get; }

    /// <summary>The number of UTF-16 units.</summary>
    public int Length { get; private set; }

    /// <summary>The text as it is now.</summary>
    public ReadOnlySpan<char> Units => _units.AsSpan(0, Length);

    /// <summary>Where in the original text the span of a unit begins.</summary>
    public int StartOf(int unit) => _starts is not null ? _starts[unit]
        : Origin + (char.IsLowSurrogate(_units[unit]) ? unit - 1 : unit);

    /// <summary>Where in the original text the span of a unit ends.</summary>
    public int EndOf(int unit) => _ends is not null ? _ends[unit]
        : Origin + (char.IsHighSurrogate(_units[unit]) ? unit + 2 : unit + 1);

    /// <summary>A part of the text, with its spans.</summary>
    public AlignedText Slice(int start, int end)
    {
        if (!_isTracked)
            return new AlignedText(Units[start..end], Origin + start, isTracked: false);
        var slice = new AlignedText(Units[start..end], Origin, isTracked: true);
        (slice._starts, slice._ends) = (new int[end - start], new int[end - start]);
        for (int unit = start; unit < end; unit++)
            (slice._starts[unit - start], slice._ends[unit - start]) = (StartOf(unit), EndOf(unit));
        return slice;
    }

    /// <summary>Replaces the whole text.</summary>
    /// <param name="changes">The new characters.</param>
    /// <param name="removedBefore">The number of old characters before the first new one that are gone.</param>
    public void Transform(ReadOnlySpan<RuneChange> changes, int removedBefore = 0)
    {
        var writer = new AlignedTextWriter(this, changes.Length + changes.Length / 8 + 4, _isTracked);
        int old = 0;
        for (int i = 0; i < removedBefore; i++)
            old += UnitsAt(old);

        foreach ((Rune rune, int change) in changes)
        {
            if (change > 0)
            {
                writer.Insert(rune, old - 1);
                continue;
            }

            writer.Put(rune, old);
            for (int i = 0; i <= -change && old < Length; i++)
                old += UnitsAt(old);
        }

        Take(writer);
    }

    /// <summary>Removes the characters of which something is not true.</summary>
    public void Keep(Func<Rune, bool> isKept)
    {
        int position = 0;
        while (position < Length)
        {
            Rune rune = RuneAt(position);
            if (!isKept(rune))
                break;
            position += rune.Utf16SequenceLength;
        }

        if (position == Length)
            return;
        var writer = new AlignedTextWriter(this, Length, _isTracked);
        for (int old = 0; old < Length;)
        {
            Rune rune = RuneAt(old);
            if (isKept(rune))
                writer.Copy(old, rune.Utf16SequenceLength);
            old += rune.Utf16SequenceLength;
        }

        Take(writer);
    }

    /// <summary>Removes everything outside a range of units.</summary>
    public void Trim(int start, int end)
    {
        if (start == 0 && end == Length)
            return;
        var writer = new AlignedTextWriter(this, end - start, _isTracked);
        writer.Copy(start, end - start);
        Take(writer);
    }

    /// <summary>Puts characters before the text, which share the span of its first one; an empty text stays empty.</summary>
    public void Prepend(string text)
    {
        if (Length == 0 || text.Length == 0)
            return;
        var writer = new AlignedTextWriter(this, Length + text.Length, _isTracked);
        writer.InsertAll(text, 0);
        writer.Copy(0, Length);
        Take(writer);
    }

    /// <summary>Replaces each match; the new characters share the span of the last unit of the match.</summary>
    public void Replace(ITextPattern pattern, string content)
    {
        if (pattern is LiteralPattern { Text: [char only] } && content is [char replacement])
        {
            // One unit for one: no span changes.
            _units.AsSpan(0, Length).Replace(only, replacement);
            return;
        }

        var matches = new List<TextMatch>();
        pattern.FindMatches(Units, matches);
        if (!matches.Exists(match => match.IsMatch))
            return;
        var writer = new AlignedTextWriter(this, Length, _isTracked);
        foreach (TextMatch match in matches)
        {
            if (match.IsMatch)
                writer.InsertAll(content, match.End - 1);
            else
                writer.Copy(match.Start, match.End - match.Start);
        }

        Take(writer);
    }

    /// <summary>Takes what a writer wrote from this text.</summary>
    public void Take(AlignedTextWriter writer) => (_units, Length, _starts, _ends) = writer.Finish();

    public Rune RuneAt(int unit)
    {
        char first = _units[unit];
        return char.IsHighSurrogate(first) ? new Rune(first, _units[unit + 1]) : new Rune(first);
    }

    /// <summary>A writer of what this text is to become.</summary>
    public AlignedTextWriter Rewrite(int capacity) => new(this, capacity, _isTracked);

    private int UnitsAt(int unit) => unit < Length && char.IsHighSurrogate(_units[unit]) ? 2 : 1;
}
