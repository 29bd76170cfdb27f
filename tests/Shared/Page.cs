using System.Text.RegularExpressions;

namespace MLTransfer.Tests.Shared;

/// <summary>A page of the repository that people read: the README, those of <c>docs</c>, and what stands beside them.</summary>
internal sealed partial class Page(string name)
{
    private readonly Lazy<string> _text = new(() => File.ReadAllText(Path.Combine(RepositoryFiles.Root, name)).ReplaceLineEndings("\n"));

    /// <summary>All pages.</summary>
    public static IReadOnlyList<Page> All { get; } =
    [
        .. ((string[])["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
            .Concat(Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "docs"), "*.md")
                .Select(path => "docs/" + Path.GetFileName(path)).Order(StringComparer.Ordinal))
            .Select(name => new Page(name)),
    ];

    /// <summary>Its path from the repository's root, with slashes.</summary>
    public string Name => name;

    /// <summary>Its text, with the line endings of Linux.</summary>
    public string Text => _text.Value;

    /// <summary>Its blocks of code in a language, without the fences.</summary>
    public IReadOnlyList<string> Code(string language) =>
        [.. Text.Split($"```{language}\n").Skip(1).Select(rest => rest[..rest.IndexOf("\n```", StringComparison.Ordinal)])];

    /// <summary>Its C# programs: blocks that begin with a <c>using</c>.</summary>
    public IReadOnlyList<string> Programs => [.. Code("csharp").Where(IsProgram)];

    /// <summary>Its other C#, which the library holds.</summary>
    public IReadOnlyList<string> Extracts => [.. Code("csharp").Where(code => !IsProgram(code))];

    /// <summary>The small data files that are printed: a block with its file name after the language.</summary>
    public IReadOnlyList<(string Path, string Text)> Files =>
    [
        .. PrintedFile().Matches(Text).Select(match => (match.Groups["path"].Value, match.Groups["text"].Value)),
    ];

    /// <summary>The rows of every table whose header begins with a cell, without header and rule.</summary>
    /// <param name="firstHeader">The header's first cell.</param>
    public IReadOnlyList<string[]> Rows(string firstHeader)
    {
        var rows = new List<string[]>();
        var lines = Text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith($"| {firstHeader} |", StringComparison.Ordinal))
                rows.AddRange(lines.Skip(i + 2).TakeWhile(line => line.StartsWith('|')).Select(Cells));
        }

        return rows;
    }

    private static bool IsProgram(string code) => code.StartsWith("using ", StringComparison.Ordinal);

    [GeneratedRegex("^```[a-z]+ (?<path>[^\n]+)\n(?<text>.*?)\n```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex PrintedFile();

    private static string[] Cells(string line) => [.. line.Trim('|').Split('|').Select(cell => cell.Trim())];
}
