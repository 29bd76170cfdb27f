using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>
/// C# on the pages is code that is compiled: a program is a region of a file in this folder, whose tests run it; an extract of the library
/// is in its source.
/// </summary>
public sealed class PageProgramTests
{
    private static readonly string s_programs = Path.Combine(RepositoryFiles.Root, "tests/MLTransfer.Tests/Pages");

    public static IEnumerable<TheoryDataRow<string>> Pages => Page.All.Where(page => page.Code("csharp").Count > 0)
        .Select(page => new TheoryDataRow<string>(page.Name));

    [Theory]
    [MemberData(nameof(Pages))]
    public void CSharp_on_a_page_is_code_that_is_compiled(string name)
    {
        var regions = Regions().ToList();
        foreach (var block in new Page(name).Code("csharp"))
        {
            var lines = block.Split('\n');
            var usings = lines.TakeWhile(IsUsingDirective).ToList();
            var body = string.Join('\n', lines.Skip(usings.Count).SkipWhile(line => usings.Count > 0 && line.Length == 0));
            Assert.True(
                regions.Any(region => region.Code == body && usings.All(line => Has(region.File, line))) || IsInLibrary(block),
                $"{name}: no region of {s_programs} and no file of src holds\n{block}");
        }
    }

    [Fact]
    public void Every_program_of_the_tests_is_on_a_page()
    {
        var blocks = Page.All.SelectMany(page => page.Code("csharp")).ToList();
        Assert.All(Regions(), region => Assert.Contains(blocks, block => block.EndsWith(region.Code, StringComparison.Ordinal)));
    }

    private static IEnumerable<(string File, string Code)> Regions()
    {
        foreach (var path in Directory.EnumerateFiles(s_programs, "*.cs"))
        {
            var text = File.ReadAllText(path).ReplaceLineEndings("\n");
            var lines = text.Split('\n');
            for (var i = 0; i < lines.Length; i++)
            {
                if (lines[i].StartsWith("        #region", StringComparison.Ordinal))
                {
                    var inside = lines.Skip(i + 1).TakeWhile(line => line != "        #endregion");
                    yield return (text, string.Join('\n', inside.Select(Dedented)));
                }
            }
        }
    }

    private static bool IsUsingDirective(string line) =>
        line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=');

    /// <summary>The tests are in the library's first namespace and need not name it.</summary>
    private static bool Has(string file, string directive) => directive == "using MLTransfer;"
        || file.Contains(directive, StringComparison.Ordinal);

    private static string Dedented(string line) => line.Length > 8 ? line[8..] : "";

    private static bool IsInLibrary(string block) =>
        Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Any(path => Trimmed(File.ReadAllText(path)).Contains(Trimmed(block), StringComparison.Ordinal));

    private static string Trimmed(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim()));
}
