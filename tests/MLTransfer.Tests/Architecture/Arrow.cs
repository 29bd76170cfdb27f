namespace MLTransfer.Tests.Architecture;

/// <summary>One folder uses another.</summary>
/// <param name="From">The folder of the file that names something.</param>
/// <param name="To">The folder of what it names.</param>
/// <param name="Because">The file, and how it names it.</param>
internal sealed record Arrow(string From, string To, string Because)
{
    public override string ToString() => $"{From} -> {To} ({Because})";
}
