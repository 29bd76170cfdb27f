using System.Globalization;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Networks;

public class ReadmeProgramTests
{
    [Fact]
    public void The_readmes_program_runs()
    {
        using var folder = new TemporaryFolder();
        TestNetworks.PretrainToOnnx(folder["base.onnx"], epochs: 1);
        Directory.CreateDirectory(folder["photos"]);
        var drawings = Drawings.Make(20);
        foreach (var (index, drawing) in drawings.Index())
            drawing.Image!.Save(folder[$"photos/{index}.png"]);
        File.WriteAllLines(folder["photos.tsv"], drawings.Select((drawing, index) =>
            $"{index}.png\t{string.Join('\t', drawing.Label.Select(value => value.ToString(CultureInfo.InvariantCulture)))}"));
        var current = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(folder.Path);
        try
        {
            ReadmeProgram.Run();
        }
        finally
        {
            Directory.SetCurrentDirectory(current);
        }

        Assert.True(new FileInfo(folder["colours.onnx"]).Length > 100_000);
        new MLContext().Model.Load(folder["colours.zip"], out var schema);
        Assert.Equal(["FileName", "Label"], schema.Select(column => column.Name));
    }

    [Fact]
    public void The_readme_shows_the_program_that_runs()
    {
        var source = File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "tests/MLTransfer.Tests/Networks/ReadmeProgram.cs"))
            .SkipWhile(line => !line.Contains("README begins", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.Contains("README ends", StringComparison.Ordinal)).Select(line => line.Length > 8 ? line[8..] : "")
            .ToList();

        Assert.InRange(source.Count(line => line.Length > 0), 10, 20);
        Assert.Contains(
            string.Join('\n', source), File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md")), StringComparison.Ordinal);
    }
}
