namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>What one rendering has used of its steps and its depth.</summary>
internal sealed class Budget
{
    private long _steps;
    private int _depth;

    public void Step()
    {
        if (++_steps > TemplateLimits.Steps)
            throw new ChatTemplateException($"it takes more than {TemplateLimits.Steps} steps");
    }

    public void Enter()
    {
        Step();
        if (++_depth > TemplateLimits.Depth)
            throw Values.NestingGuard.TooDeep();
        Values.NestingGuard.Check();
    }

    public void Leave() => _depth--;

    /// <summary>To be asked before something of a size is made.</summary>
    public void Make(long size)
    {
        if (size > TemplateLimits.Size)
            throw new ChatTemplateException($"a text or list would have more than {TemplateLimits.Size} characters or items");
        _steps += size / 16;
        Step();
    }
}
