namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>What is not there: it prints as nothing and iterates as empty; any other use is the error that it carries.</summary>
internal sealed class Undefined(string reason)
{
    public ChatTemplateException Error() => new(reason);
}
