using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Microsoft.ML;
using Xunit;
using static TorchSharp.torch;

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
        using var encoder = nn.Sequential(
            nn.Conv2d(3, 8, 4, stride: 2, padding: 1, bias: false), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(512, 4));
        SafetensorsWriter.Write(
            folder["encoder.safetensors"], encoder.state_dict().Select(entry => KeyValuePair.Create("main." + entry.Key, entry.Value)));
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.True(new FileInfo(folder["colours.onnx"]).Length > 100_000);
        new MLContext().Model.Load(folder["colours.zip"], out var schema);
        Assert.Equal(["FileName", "Label"], schema.Select(column => column.Name));
        Assert.All(printed[1].Split('\n'), line => Assert.Equal(4, line.Split(' ').Length));
        Assert.True(File.Exists(folder["encoder.zip"]) && File.Exists(folder["encoder.onnx"]));
        Assert.Equal(["1", "left middle right"], printed[2].Split('\n'));
    }
}
