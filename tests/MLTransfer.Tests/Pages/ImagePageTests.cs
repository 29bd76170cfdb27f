using MLTransfer.Tests.Networks;
using Xunit;

namespace MLTransfer.Tests.Pages;

public sealed class ImagePageTests
{
    [Fact]
    public void The_program_trains_saves_paints_and_exports()
    {
        using var folder = new PageFolder();
        Directory.CreateDirectory(folder["faces"]);
        var drawings = Drawings.Make(32);
        foreach (var (index, drawing) in drawings.Index())
            drawing.Image!.Save(folder[$"faces/{index}.png"]);
        File.WriteAllLines(folder["faces.tsv"], drawings.Select((_, index) => $"{index}.png"));

        ImageProgram.Run();

        Assert.Equal(16, Directory.GetFiles(folder.Path, "*.png").Length);
        Assert.True(new FileInfo(folder["painter.zip"]).Length > 100_000);
        Assert.True(new FileInfo(folder["painter.onnx"]).Length > 100_000);
        Assert.True(File.Exists(folder["run/metrics.jsonl"]));
    }
}
