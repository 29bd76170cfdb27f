using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class ExperimentPageRun : PageRun
{
    public override string Page => "docs/experiments.md";

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        var lines = printed[0].Split('\n');
        Assert.Contains("_pipeline_.e0.Rate", lines[0], StringComparison.Ordinal);
        Assert.Equal(5, lines.Count(line => line.Contains("Completed", StringComparison.Ordinal)
            || line.Contains("Pruned", StringComparison.Ordinal)));
        Assert.StartsWith("trial ", lines[^1], StringComparison.Ordinal);
        using var model = (IDisposable)new MLContext().Model.Load(folder["storyteller.zip"], out _);
        foreach (var file in (string[])["journal.jsonl", "experiment.html", "trials.csv"])
            Assert.True(File.Exists(folder[$"search/{file}"]), file);
        Assert.Equal("bent", printed[1]);
    }
}
