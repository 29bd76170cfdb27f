using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>The programs write a GGUF file and begin with it again.</summary>
internal sealed class GgufPageRun : PageRun
{
    public override string Page => "docs/gguf.md";

    public override void Prepare(PageFolder folder)
    {
        var ml = new MLContext(seed: 1);
        var rows = ml.Data.LoadFromEnumerable(Array.Empty<PromptRow>());
        using var model = ml.Transforms.Text.GenerateText("Continuation", "Prompt").Fit(rows);
        ml.Model.Save(model, rows.Schema, folder["storyteller.zip"]);
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.Equal(2, printed[0].Split('\n').Length);
        Assert.StartsWith("FROM ./storyteller.gguf\n", File.ReadAllText(folder["Modelfile"]), StringComparison.Ordinal);
        using var model = new MLContext(seed: 1).Generation.LoadPretrained();
        Assert.InRange(new FileInfo(folder["storyteller.gguf"]).Length, 1e6, model.Network.parameters().Sum(p => p.numel()) * 2);
        Assert.True(printed[1].Length > 20, printed[1]);
    }
}
