using System.Collections.Immutable;
using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>A part of a regular expression.</summary>
internal abstract record PatternNode
{
    /// <summary>Matches nothing between two characters.</summary>
    public static readonly PatternNode Nothing = new Sequence([]);

    /// <summary>One character out of a set.</summary>
    public sealed record Character(CodePointSet Set) : PatternNode;

    /// <summary>A place between characters.</summary>
    public sealed record Place(PlaceKind Kind) : PatternNode;

    /// <summary>Parts one after the other.</summary>
    public sealed record Sequence(ImmutableArray<PatternNode> Parts) : PatternNode;

    /// <summary>The first of several that leads to a match.</summary>
    public sealed record Choice(ImmutableArray<PatternNode> Options) : PatternNode;

    /// <summary>A part again and again.</summary>
    /// <param name="Part">The part.</param>
    /// <param name="Minimum">The fewest times.</param>
    /// <param name="Maximum">The most times; null: without end.</param>
    /// <param name="IsLazy">Whether fewer are tried first.</param>
    public sealed record Repeat(PatternNode Part, int Minimum, int? Maximum, bool IsLazy) : PatternNode;

    /// <summary>A part whose first way to match is the only one that is tried.</summary>
    public sealed record Atomic(PatternNode Part) : PatternNode;

    /// <summary>A part whose text is kept, under a number.</summary>
    public sealed record Group(PatternNode Part, int Number) : PatternNode;

    /// <summary>The text that a group took.</summary>
    public sealed record BackReference(int Number) : PatternNode;

    /// <summary>A part that must match, or must not, without taking characters.</summary>
    public sealed record Look(PatternNode Part, bool IsBehind, bool IsNegative) : PatternNode;
}
