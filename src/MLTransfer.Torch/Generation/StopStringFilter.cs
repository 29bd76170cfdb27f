namespace MLTransfer.Torch.Generation;

/// <summary>Passes text on up to the first stop string, and holds back what may turn out to be the beginning of one.</summary>
internal sealed class StopStringFilter(IReadOnlyList<string> stopStrings)
{
    private string _held = string.Empty;

    /// <summary>Whether a stop string has come. No text follows it.</summary>
    public bool HasStopped { get; private set; }

    /// <summary>Takes the next piece of text and gives what is certain not to belong to a stop string.</summary>
    public string Append(string piece)
    {
        if (HasStopped)
            return string.Empty;
        var text = _held + piece;
        var (start, end) = (-1, int.MaxValue);
        foreach (var stopString in stopStrings)
        {
            var index = text.IndexOf(stopString, StringComparison.Ordinal);
            if (index < 0)
                continue;
            var length = index + stopString.Length;
            if (length < end || (length == end && index < start))
                (start, end) = (index, length); // the one that is complete first
        }

        if (start >= 0)
        {
            HasStopped = true;
            _held = string.Empty;
            return text[..start];
        }

        var certain = text.Length - LongestBeginning(text);
        _held = text[certain..];
        return text[..certain];
    }

    /// <summary>Gives what was held back, as no text follows.</summary>
    public string Flush()
    {
        var rest = _held;
        _held = string.Empty;
        return rest;
    }

    /// <summary>The length of the longest end of a text with which a stop string begins.</summary>
    private int LongestBeginning(string text)
    {
        var longest = 0;
        foreach (var stopString in stopStrings)
        {
            for (var length = Math.Min(stopString.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stopString.AsSpan(0, length)))
                    longest = length;
            }
        }

        return longest;
    }
}
