using System.Globalization;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class PreferencePageRun : PageRun
{
    public override string Page => "docs/preference-tuning.md";

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        var lines = printed[0].Split('\n');
        var (before, after) = (Numbers(lines[0]), Numbers(lines[1]));
        Assert.Equal((0, 0), (before[1], before[2]));
        Assert.True(after[0] > before[0], printed[0]); // chosen texts that are more probable
        Assert.True(after[1] >= 0.75 && after[2] > 0.3, lines[1]);
        Assert.NotEmpty(lines[2]);
        Assert.True(File.Exists(folder["merry.zip"]));
        Assert.StartsWith("4 pairs, of which 3 ", printed[1], StringComparison.Ordinal);
        Assert.EndsWith("1", printed[1].Trim(), StringComparison.Ordinal);

        static double[] Numbers(string line) => [.. line.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
    }
}
