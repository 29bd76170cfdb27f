using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class InfillingPageRun : PageRun
{
    public override string Page => "docs/infilling.md";

    public override void Prepare(PageFolder folder)
    {
        Directory.CreateDirectory(folder["bert-folder"]);
        foreach (var file in Directory.EnumerateFiles(RepositoryFiles.Data("families/distilbert-tiny")))
            File.Copy(file, folder["bert-folder/" + Path.GetFileName(file)]);
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        var lines = printed[0].Split('\n');
        Assert.Equal(5, lines.Length);
        Assert.StartsWith("The fox came out of the", lines[0], StringComparison.Ordinal);
        Assert.Equal(2, lines[0].Count(c => c == ';')); // three candidates of a mask
        Assert.Equal(5, lines[1].Count(c => c == ';'));
        Assert.NotEqual(lines[3], lines[4]);
        var rewritten = printed[1].Split('\n');
        Assert.NotEqual("The old king rode over the hill, and all his people followed him.", rewritten[0]);
        using var model = new MLContext(seed: 1).Generation.LoadTextInfiller(folder["bert-folder"]);
        var score = model.Score(["The king rode over the hill."], cancellationToken: TestContext.Current.CancellationToken)[0];
        Assert.Equal(score.Sum / score.TokenCount, double.Parse(rewritten[^2]), 1e-4);
        Assert.True(File.Exists(folder["infiller.zip"]));
    }
}
