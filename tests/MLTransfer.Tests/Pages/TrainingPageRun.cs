using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class TrainingPageRun : PageRun
{
    public override string Page => "docs/training.md";

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        var rates = printed[0].Split('\n').Where(line => line.StartsWith("step ", StringComparison.Ordinal))
            .Select(line => line.Split("rate ")[1].Split(',')[0]).ToList();
        Assert.Equal(["", "0", "0.001", "0.001", "0.0005"], rates); // before the first step there is none
    }
}
