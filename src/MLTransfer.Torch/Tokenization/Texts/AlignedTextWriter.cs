using System.Text;

namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>Writes a text anew from left to right, with the spans of the old one.</summary>
internal sealed class AlignedTextWriter
{
    private readonly AlignedText _old;
    private char[] _units;
    private int[]? _starts;
    private int[]? _ends;

    public AlignedTextWriter(AlignedText old, int capacity, bool isTracked)
    {
        _old = old;
        _units = new char[Math.Max(capacity, 4)];
        if (isTracked)
            (_starts, _ends) = (new int[_units.Length], new int[_units.Length]);
    }

    /// <summary>The number of units written.</summary>
    public int Length { get; private set; }

    /// <summary>Copies units of the old text.</summary>
    public void Copy(int start, int length)
    {
        Reserve(length);
        _old.Units.Slice(start, length).CopyTo(_units.AsSpan(Length));
        if (_starts is not null)
        {
            for (int i = 0; i < length; i++)
                (_starts[Length + i], _ends![Length + i]) = (_old.StartOf(start + i), _old.EndOf(start + i));
        }

        Length += length;
    }

    /// <summary>Writes a character in place of the one at a unit of the old text.</summary>
    public void Put(Rune rune, int old)
    {
        // At the end there is nothing to stand for but the last character.
        int unit = Math.Min(old, _old.Length - 1);
        Write(rune, _starts is null ? 0 : _old.StartOf(unit), _starts is null ? 0 : _old.EndOf(unit));
    }

    /// <summary>Writes a character that shares the span of a unit of the old text; before the first it has an empty span.</summary>
    public void Insert(Rune rune, int old)
    {
        if (_starts is null)
            Write(rune, 0, 0);
        else if (old < 0)
            Write(rune, _old.Origin, _old.Origin);
        else
            Write(rune, _old.StartOf(old), _old.EndOf(old));
    }

    public void Insert(char character, int old) => Insert(new Rune(character), old);

    /// <summary>Writes characters that share the span of a unit of the old text.</summary>
    public void InsertAll(string text, int old)
    {
        foreach (Rune rune in text.EnumerateRunes())
            Insert(rune, old);
    }

    /// <summary>Writes a character with a span of its own.</summary>
    public void Write(Rune rune, int start, int end)
    {
        Reserve(2);
        int length = rune.EncodeToUtf16(_units.AsSpan(Length));
        for (int i = 0; _starts is not null && i < length; i++)
            (_starts[Length + i], _ends![Length + i]) = (start, end);
        Length += length;
    }

    public (char[] Units, int Length, int[]? Starts, int[]? Ends) Finish() => (_units, Length, _starts, _ends);

    private void Reserve(int more)
    {
        int needed = checked(Length + more);
        if (needed <= _units.Length)
            return;
        int size = (int)Math.Min(Math.Max(needed, 2L * _units.Length), Array.MaxLength);
        Array.Resize(ref _units, size);
        if (_starts is not null)
        {
            Array.Resize(ref _starts, size);
            Array.Resize(ref _ends, size);
        }
    }
}
