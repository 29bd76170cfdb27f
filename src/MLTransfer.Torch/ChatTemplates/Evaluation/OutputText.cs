using System.Text;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>What is written: the rendering's own text, or, within a macro or a block that is a value, that value's.</summary>
internal sealed class OutputText(MarkedTexts marked)
{
    private readonly Buffer _root = new();
    private readonly HashSet<GenerationMark> _missing = []; // of texts that have not been written yet
    private Buffer? _captured;
    private long _written;

    /// <summary>Places of the assistant's words in the rendering, in UTF-16 units.</summary>
    public IReadOnlyList<Range> Generations => [.. _root.Marks.Select(mark => mark.Start..mark.End)];

    /// <summary>The line of a generation block whose words are not, or not as they were, in the rendering; null where there is
    /// none.</summary>
    public int? LostGenerationLine => _missing.Count > 0 ? _missing.Min(mark => mark.Line) : null;

    private Buffer Current => _captured ?? _root;

    public void Write(string text)
    {
        _written += text.Length;
        if (_written > TemplateLimits.Size)
            throw new ChatTemplateException($"it writes more than {TemplateLimits.Size} characters");
        var start = Current.Text.Length;
        Current.Text.Append(text);
        foreach (var mark in marked.Of(text))
            Mark(mark.Mark, start + mark.Start, start + mark.End);
    }

    /// <summary>Marks what an action writes as the assistant's words.</summary>
    public void Generate(int line, Action write)
    {
        var start = Current.Text.Length;
        write();
        var mark = new GenerationMark(line);
        if (_captured is not null && Current.Text.Length > start)
            _missing.Add(mark);
        Mark(mark, start, Current.Text.Length);
    }

    /// <summary>The text that an action writes, in place of writing it.</summary>
    public string Capture(Action write)
    {
        var outer = _captured;
        var inner = _captured = new Buffer();
        try
        {
            write();
            var text = inner.Text.ToString();
            marked.Add(text, inner.Marks);
            return text;
        }
        finally
        {
            _captured = outer;
        }
    }

    public override string ToString() => _root.Text.ToString();

    private void Mark(GenerationMark mark, int start, int end)
    {
        Current.Marks.Add((mark, start, end));
        if (_captured is null)
            _missing.Remove(mark);
    }

    private sealed class Buffer
    {
        public StringBuilder Text { get; } = new();

        public List<(GenerationMark Mark, int Start, int End)> Marks { get; } = [];
    }
}
