namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>
/// Where generation blocks stand in texts that are values: what macros, call blocks, filter blocks and captures have made. A text is known
/// by its object, so that marks go where it goes: written, joined to others or trimmed. What else a template does to it loses them.
/// </summary>
internal sealed class MarkedTexts
{
    private readonly Dictionary<object, IReadOnlyList<(GenerationMark Mark, int Start, int End)>> _texts =
        new(ReferenceEqualityComparer.Instance);

    public void Add(string text, IReadOnlyList<(GenerationMark Mark, int Start, int End)> marks)
    {
        if (marks.Count > 0 && text.Length > 0)
            _texts[text] = marks;
    }

    public IReadOnlyList<(GenerationMark Mark, int Start, int End)> Of(string text) =>
        _texts.Count > 0 && _texts.TryGetValue(text, out var marks) ? marks : [];

    /// <summary>Marks a text that others were joined to.</summary>
    public void Join(string joined, IEnumerable<string> parts)
    {
        if (_texts.Count == 0)
            return;
        var (marks, start) = (new List<(GenerationMark, int, int)>(), 0);
        foreach (var part in parts)
        {
            marks.AddRange(Of(part).Select(mark => (mark.Mark, mark.Start + start, mark.End + start)));
            start += part.Length;
        }
        Add(joined, marks);
    }

    /// <summary>Marks what is left of a text whose ends were cut off.</summary>
    public void Trim(string text, string trimmed)
    {
        if (trimmed.Length == 0 || Of(text) is not { Count: > 0 } marks)
            return;
        // What is left begins with the first character that was not cut off, so that it occurs nowhere before.
        var start = text.IndexOf(trimmed, StringComparison.Ordinal);
        int Place(int place) => Math.Clamp(place - start, 0, trimmed.Length);
        Add(trimmed, [.. marks.Select(mark => (mark.Mark, Place(mark.Start), Place(mark.End)))]);
    }
}
