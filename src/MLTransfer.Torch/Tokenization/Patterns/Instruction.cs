using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>What a step of a compiled pattern does.</summary>
internal enum Operation : byte
{
    /// <summary>Takes a character of <see cref="Instruction.Set"/>.</summary>
    Character,

    /// <summary>Takes as many characters of the set as there are, then fewer, between the two bounds.</summary>
    Run,

    /// <summary>Takes as many characters of the set as there are, and no fewer.</summary>
    PossessiveRun,

    /// <summary>Goes on if the place is of a kind.</summary>
    Place,

    /// <summary>Goes on at the next instruction and, should that fail, at the target.</summary>
    Fork,

    /// <summary>Goes on at the target and, should that fail, at the next instruction.</summary>
    LazyFork,

    /// <summary>Goes on at the target.</summary>
    Jump,

    /// <summary>Notes the position in a register.</summary>
    EnterLoop,

    /// <summary>Goes back to the target, unless nothing was taken since the register was set.</summary>
    RepeatLoop,

    /// <summary>Keeps the position in a register.</summary>
    Keep,

    /// <summary>Takes the text between the positions that a register and the next one keep.</summary>
    BackReference,

    /// <summary>Goes on at the target if the next character is in the set, or, negated, is not.</summary>
    LookAtNext,

    /// <summary>Goes on at the target if the instructions from the next one on match here, or, negated, do not.</summary>
    Look,

    /// <summary>Goes on at the target from where the instructions from the next one on matched.</summary>
    Atomic,

    /// <summary>A match, of the whole or of the part that a look or an atomic group is.</summary>
    Accept,
}

/// <summary>A step of a compiled pattern.</summary>
internal sealed record Instruction(Operation Operation)
{
    public CodePointSet Set { get; init; } = CodePointSet.Empty;

    /// <summary>Another instruction.</summary>
    public int Target { get; set; }

    public int Minimum { get; init; }

    public int Maximum { get; init; }

    public PlaceKind Place { get; init; }

    public bool IsNegative { get; init; }

    /// <summary>The number of characters to go back before looking.</summary>
    public int Back { get; init; }

    public int Register { get; init; }

    /// <summary>The characters that the preferred way can begin with; null: any, or none at all.</summary>
    public CodePointSet? First { get; init; }

    /// <summary>The characters that the other way can begin with; null: any, or none at all.</summary>
    public CodePointSet? OtherFirst { get; init; }

    /// <summary>The number of the instruction among those that the matcher remembers; -1: it is not one of them.</summary>
    public int Memory { get; set; } = -1;
}
