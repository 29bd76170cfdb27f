using MLTransfer.Tests.Networks;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class DataPageRun : PageRun
{
    public override string Page => "docs/data.md";

    public override void Prepare(PageFolder folder)
    {
        foreach (var (index, story) in TestData.Stories(6).Index())
        {
            var place = Directory.CreateDirectory(folder[index % 2 == 0 ? "texts" : "texts/more"]).FullName;
            File.WriteAllText(Path.Combine(place, $"{index}.txt"), story.Text);
        }

        foreach (var (index, drawing) in Drawings.Make(24).Index())
        {
            Directory.CreateDirectory(folder["pictures/" + drawing.Class]);
            drawing.Image!.Save(folder[$"pictures/{drawing.Class}/{index}.png"]);
        }
    }

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.Equal("The fox: 2 sentences\nThe king, later: 3 sentences", printed[0]);
        Assert.Equal(2, printed[1].Split('\n').Count(line => line.StartsWith("Which ", StringComparison.Ordinal)));
        Assert.Equal(["0", "1", "2", "3", "4", "5"], printed[2].Split('\n').Select(line => line.Split(':')[0]).Order());
        using var painter = (ImageGeneratorTransformer)((IEnumerable<ITransformer>)new MLContext(seed: 1).Model.Load(
            folder["painter.zip"], out _)).Last();
        Assert.Equal(3, painter.Model.Generator.LabelWidth);
        Assert.Equal("blue, green, red", string.Join(", ", printed[3].Split('\n').Order()));
    }
}
