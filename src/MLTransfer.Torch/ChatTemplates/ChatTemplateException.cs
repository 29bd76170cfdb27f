namespace MLTransfer.Torch.ChatTemplates;

/// <summary>A chat template that is not valid, that cannot be rendered with its messages, or that refused them itself.</summary>
public sealed class ChatTemplateException : Exception
{
    internal ChatTemplateException(string reason, int line = 0, bool isRaised = false, Exception? inner = null)
        : base(line > 0 ? $"The chat template, line {line}: {reason}" : $"The chat template: {reason}", inner)
    {
        Reason = reason;
        Line = line;
        IsRaised = isRaised;
    }

    /// <summary>The line of the template, from 1; 0 where no line is to blame.</summary>
    public int Line { get; }

    /// <summary>What is wrong, without the line.</summary>
    public string Reason { get; }

    /// <summary>Whether the template itself refused the messages, with <c>raise_exception</c>: <see cref="Reason"/> is its text.</summary>
    public bool IsRaised { get; }

    internal ChatTemplateException At(int line) => new(Reason, line, IsRaised, this);
}
