using MLTransfer.Tests.Networks;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class NetworkPageRun : PageRun
{
    public override string Page => "docs/networks.md";

    public override void Prepare(PageFolder folder)
    {
        TestNetworks.PretrainToOnnx(folder["base.onnx"], epochs: 1);
        Directory.CreateDirectory(folder["photos"]);
        foreach (var (index, drawing) in Drawings.Make(2).Index())
            drawing.Image!.Save(folder[$"photos/{index}.png"]);
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.True(new FileInfo(folder["colours.onnx"]).Length > 100_000);
        new MLContext().Model.Load(folder["colours.zip"], out var schema);
        Assert.Equal(["FileName", "Label"], schema.Select(column => column.Name));
    }
}
