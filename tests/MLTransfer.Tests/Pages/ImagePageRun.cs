using MLTransfer.Tests.Images;
using MLTransfer.Tests.Networks;
using Microsoft.ML.Data;
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
        TinyCaptions.Save(folder["dalle"]);
        Directory.CreateDirectory(folder["shapes"]);
        foreach (var (index, row) in TinyCaptions.Rows(8).Index())
        {
            row.Image!.Save(folder[$"shapes/{index}.png"]);
            File.WriteAllText(folder[$"shapes/{index}.txt"], row.Caption);
        }
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

        Assert.Matches("^2 steps, [0-9]+\\.[0-9]{2} nats$", printed[2]);
        Assert.Equal(8, Directory.GetFiles(folder["artist-run/codes"]).Length);
        Assert.Contains("a blue square", File.ReadAllText(folder["artist-run/run.html"]), StringComparison.Ordinal);
        foreach (var name in (string[])["wish-0", "wish-1", "completed", "varied"])
        {
            using var picture = MLImage.CreateFromFile(folder[$"{name}.png"]);
            Assert.Equal((16, 16), (picture.Width, picture.Height));
        }
    }
}
