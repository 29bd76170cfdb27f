using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>
/// C# on the pages is taken from there: what begins with a <c>using</c> is a program and runs as printed, with the files printed beside it;
/// anything else is an extract of the library.
/// </summary>
public sealed class PageProgramTests
{
    private static readonly IReadOnlyList<PageRun> s_runs =
    [
        .. typeof(PageRun).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(PageRun)))
            .Select(type => (PageRun)Activator.CreateInstance(type)!),
    ];

    public static IEnumerable<TheoryDataRow<string>> PagesWithPrograms =>
        Page.All.Where(page => page.Programs.Count > 0).Select(page => new TheoryDataRow<string>(page.Name));

    public static IEnumerable<TheoryDataRow<string>> PagesWithExtracts =>
        Page.All.Where(page => page.Extracts.Count > 0).Select(page => new TheoryDataRow<string>(page.Name));

    [Theory]
    [MemberData(nameof(PagesWithPrograms))]
    public void Programs_of_a_page_run_as_printed(string name)
    {
        var run = Assert.Single(s_runs, run => run.Page == name);
        var page = new Page(name);
        using var folder = new PageFolder();
        foreach (var (path, text) in page.Files)
            File.WriteAllText(folder[path], text + "\n");
        run.Prepare(folder);

        run.Check(folder, [.. page.Programs.Select(code => run.Run(folder, new PageProgram(code)))]);
    }

    [Theory]
    [MemberData(nameof(PagesWithExtracts))]
    public void Extracts_are_in_the_library(string name)
    {
        var library = Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(path => Trimmed(File.ReadAllText(path))).ToList();
        Assert.All(new Page(name).Extracts, extract =>
            Assert.True(library.Exists(file => file.Contains(Trimmed(extract), StringComparison.Ordinal)), $"not in src:\n{extract}"));
    }

    private static string Trimmed(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim()));
}
