using MLTransfer.Models;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class TextPageRun : PageRun
{
    public override string Page => "docs/text.md";

    public override void Prepare(PageFolder folder)
    {
        Directory.CreateDirectory(folder["gpt2-folder"]);
        foreach (var file in Directory.EnumerateFiles(TalesModel.Folder))
            File.Copy(file, folder["gpt2-folder/" + Path.GetFileName(file)]);
        Directory.CreateDirectory(folder["t5-folder"]);
        foreach (var file in Directory.EnumerateFiles(RepositoryFiles.Data("families/t5-tiny")))
            File.Copy(file, folder["t5-folder/" + Path.GetFileName(file)]);
        File.WriteAllText(folder["book.txt"], File.ReadAllText(RepositoryFiles.Data("mars-excerpt.txt"))[..4000]);
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.Equal(2, printed[0].Split('\n').Count(line => line.Length > 0));
        Assert.True(File.Exists(folder["run/metrics.jsonl"]));
        using var model = new MLContext(seed: 1).Generation.LoadPretrained();
        Assert.Equal(model.Generate("Once upon a time", new() { MaximumNewTokens = 40 }), printed[1]);
        Assert.StartsWith("3 texts make ", printed[2], StringComparison.Ordinal);
        Assert.Contains("1 duplicates", printed[2], StringComparison.Ordinal);
        Assert.Contains(" GB (weights ", printed[2], StringComparison.Ordinal);
        Assert.Contains(" runs of 13 tokens are copied.", printed[3], StringComparison.Ordinal);
        Assert.Contains("license: mit", File.ReadAllText(folder["storyteller/README.md"]), StringComparison.Ordinal);
        Assert.Contains("The old king", File.ReadAllText(folder["watched/run.html"]), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(folder["watched/tensorboard"]));
        Assert.Equal("Learned for 3 steps.", printed[4].Trim());
        Assert.NotEmpty(printed[5]);
        Assert.NotEmpty(printed[6]);
        Assert.True(new FileInfo(folder["storyteller.zip"]).Length > 1_000_000);
        Assert.Equal("two men\ntwo women\ntwo kings\n2", printed[7]);
    }
}
