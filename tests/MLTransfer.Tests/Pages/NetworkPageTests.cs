using System.Globalization;
using MLTransfer.Tests.Networks;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Pages;

public sealed class NetworkPageTests
{
    [Fact]
    public void The_program_trains_new_layers_saves_and_exports()
    {
        using var folder = new PageFolder();
        TestNetworks.PretrainToOnnx(folder["base.onnx"], epochs: 1);
        Directory.CreateDirectory(folder["photos"]);
        var drawings = Drawings.Make(20);
        foreach (var (index, drawing) in drawings.Index())
            drawing.Image!.Save(folder[$"photos/{index}.png"]);
        File.WriteAllLines(folder["photos.tsv"], drawings.Select((drawing, index) =>
            $"{index}.png\t{string.Join('\t', drawing.Label.Select(value => value.ToString(CultureInfo.InvariantCulture)))}"));

        NetworkProgram.Run();

        Assert.True(new FileInfo(folder["colours.onnx"]).Length > 100_000);
        new MLContext().Model.Load(folder["colours.zip"], out var schema);
        Assert.Equal(["FileName", "Label"], schema.Select(column => column.Name));
    }
}
