using System.Globalization;
using Xunit;

namespace MLTransfer.Tests.Pages;

public sealed class ReadmeTests
{
    private static readonly Page s_readme = Page.All[0];

    [Fact]
    public void The_program_fine_tunes_saves_loads_and_writes()
    {
        using var folder = new PageFolder();
        Stories.Write(folder, 6);

        var lines = folder.Printed(ReadmeProgram.Run).Split('\n');

        Assert.True(new FileInfo(folder["storyteller.zip"]).Length > 1_000_000);
        Assert.All(TestData.Stories(6), story => Assert.Contains(lines, line => line.StartsWith(story.Opening!, StringComparison.Ordinal)));
        Assert.InRange(double.Parse(lines[^1], CultureInfo.CurrentCulture), 1, 4096);
    }

    [Fact]
    public void It_has_at_most_150_lines_and_its_program_at_most_20()
    {
        Assert.InRange(s_readme.Text.TrimEnd('\n').Split('\n').Length, 50, 150);
        Assert.InRange(Assert.Single(s_readme.Code("csharp")).Split('\n').Count(line => line.Length > 0), 10, 20);
    }
}
