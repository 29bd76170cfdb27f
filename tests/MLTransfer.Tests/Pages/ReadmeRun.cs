using System.Globalization;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class ReadmeRun : PageRun
{
    public override string Page => "README.md";

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        var lines = Assert.Single(printed).Split('\n');
        Assert.True(new FileInfo(folder["storyteller.zip"]).Length > 1_000_000);
        Assert.All(File.ReadLines(folder["stories.tsv"]), story =>
            Assert.Contains(lines, line => line.StartsWith(story.Split('\t')[0], StringComparison.Ordinal)));
        Assert.InRange(double.Parse(lines[^1], CultureInfo.CurrentCulture), 1, 4096);
    }
}
