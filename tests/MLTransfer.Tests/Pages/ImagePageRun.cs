using MLTransfer.Tests.Networks;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class ImagePageRun : PageRun
{
    public override string Page => "docs/images.md";

    public override void Prepare(PageFolder folder)
    {
        Directory.CreateDirectory(folder["faces"]);
        foreach (var (index, drawing) in Drawings.Make(32).Index())
            drawing.Image!.Save(folder[$"faces/{index}.png"]);
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.Contains("median distance ", printed[0], StringComparison.Ordinal);
        Assert.Equal(16, Directory.GetFiles(folder.Path, "face-*.png").Length);
        Assert.True(new FileInfo(folder["painter.zip"]).Length > 100_000);
        Assert.True(new FileInfo(folder["painter.onnx"]).Length > 100_000);
        Assert.True(File.Exists(folder["run/metrics.jsonl"]));
        Assert.Contains("Frechet distance ", printed[1], StringComparison.Ordinal);
        Assert.Contains("of the brightness is explained", printed[1], StringComparison.Ordinal);
        Assert.Equal(8, Directory.GetFiles(folder.Path, "again-*.png").Length);
        Assert.Equal(5, Directory.GetFiles(folder.Path, "edited-*.png").Length);
    }
}
