using System.Text;

namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>What is written: the rendering's own text, or, within a macro or a block that is a value, that value's.</summary>
internal sealed class OutputText
{
    private readonly StringBuilder _root = new();
    private StringBuilder _current;
    private long _written;

    public OutputText() => _current = _root;

    /// <summary>Places of the assistant's words in the rendering, in UTF-16 units.</summary>
    public List<Range> Generations { get; } = [];

    public int RootLength => _root.Length;

    public void Write(string text)
    {
        _written += text.Length;
        if (_written > TemplateLimits.Size)
            throw new ChatTemplateException($"it writes more than {TemplateLimits.Size} characters");
        _current.Append(text);
    }

    /// <summary>The text that an action writes, in place of writing it.</summary>
    public string Capture(Action write)
    {
        var outer = _current;
        _current = new();
        try
        {
            write();
            return _current.ToString();
        }
        finally
        {
            _current = outer;
        }
    }

    public override string ToString() => _root.ToString();
}
