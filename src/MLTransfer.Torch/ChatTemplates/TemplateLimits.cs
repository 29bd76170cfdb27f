namespace MLTransfer.Torch.ChatTemplates;

/// <summary>What a template may use up. Templates come with models from anywhere: none may hang or end the process.</summary>
internal static class TemplateLimits
{
    /// <summary>Levels of brackets, operators and blocks in the template's text.</summary>
    public const int Nesting = 200;

    /// <summary>Nested evaluations, macros' calls among them.</summary>
    public const int Depth = 4_000;

    /// <summary>Evaluated nodes and rounds of loops, with a share for the size of what they make.</summary>
    public const long Steps = 20_000_000;

    /// <summary>UTF-16 units of the output and of any text, items of any list.</summary>
    public const int Size = 1 << 24;

    /// <summary>Bits of an integer.</summary>
    public const int IntegerBits = 1 << 14;

    /// <summary>Numbers in a range, as in Jinja's sandbox.</summary>
    public const int Range = 100_000;
}
