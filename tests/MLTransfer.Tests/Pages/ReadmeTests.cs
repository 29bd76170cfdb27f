using Xunit;

namespace MLTransfer.Tests.Pages;

public sealed class ReadmeTests
{
    private static readonly Page s_readme = Page.All[0];

    [Fact]
    public void It_has_at_most_150_lines_and_its_program_at_most_20_before_its_classes()
    {
        Assert.InRange(s_readme.Text.TrimEnd('\n').Split('\n').Length, 50, 150);
        var statements = Assert.Single(s_readme.Programs).Split("\nclass ")[0];
        Assert.InRange(statements.Split('\n').Count(line => line.Length > 0), 10, 20);
    }

    [Fact]
    public void Its_program_needs_no_namespace_of_the_library_but_the_first() =>
        Assert.Equal(
            ["using Microsoft.ML;", "using Microsoft.ML.Data;", "using MLTransfer;"],
            s_readme.Programs[0].Split('\n').TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal)));
}
