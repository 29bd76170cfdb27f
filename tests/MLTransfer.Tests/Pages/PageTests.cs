using System.Text.RegularExpressions;
using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>What pages point to is there.</summary>
public sealed partial class PageTests
{
    public static IEnumerable<TheoryDataRow<string>> Pages => Page.All.Select(page => new TheoryDataRow<string>(page.Name));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_lead_to_files_and_headings_that_are_there(string name)
    {
        var folder = Path.GetDirectoryName(Path.Combine(RepositoryFiles.Root, name))!;
        foreach (Match link in Link().Matches(new Page(name).Text))
        {
            var target = link.Groups["target"].Value;
            if (target.Contains("://", StringComparison.Ordinal))
                continue;
            var (path, heading) = target.Split('#') is [var file, var anchor] ? (file, anchor) : (target, "");
            var full = path.Length == 0 ? Path.Combine(RepositoryFiles.Root, name) : Path.GetFullPath(Path.Combine(folder, path));
            Assert.True(File.Exists(full) || Directory.Exists(full), $"{name}: there is no '{target}'.");
            if (heading.Length > 0)
                Assert.Contains(heading, Headings(File.ReadAllText(full)));
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Files_and_folders_that_are_named_are_there(string name)
    {
        if (name == "CHANGELOG.md")
            return; // it names what was
        Assert.All(NamedPath().Matches(new Page(name).Text).Select(match => match.Groups["path"].Value), path =>
            Assert.True(Path.Exists(Path.Combine(RepositoryFiles.Root, path)), $"{name}: there is no '{path}'."));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Test_classes_that_are_named_are_there(string name)
    {
        var classes = Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetFileNameWithoutExtension(path)).ToHashSet();
        Assert.All(TestClass().Matches(new Page(name).Text), match => Assert.Contains(match.Groups["name"].Value, classes));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Lines_outside_of_tables_have_at_most_140_characters(string name)
    {
        Assert.All(
            new Page(name).Text.Split('\n').Where(line => !line.StartsWith('|') && !line.StartsWith('!')),
            line => Assert.True(line.Length <= 140, $"{name}: {line}"));
    }

    [Fact]
    public void Every_page_of_docs_is_linked_from_the_README()
    {
        Assert.All(Page.All.Where(page => page.Name.StartsWith("docs/", StringComparison.Ordinal)), page =>
            Assert.Contains($"({page.Name})", Page.All[0].Text, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Headings(string text) => text.Split('\n').Where(line => line.StartsWith('#'))
        .Select(line => NoAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(?<path>(?:src|tests|docs|samples|benchmarks)/[\w./-]+)`")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"`(?<name>\w+Tests)`")]
    private static partial Regex TestClass();

    [GeneratedRegex(@"[^\w -]")]
    private static partial Regex NoAnchor();
}
