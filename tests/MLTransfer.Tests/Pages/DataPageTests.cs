using System.Text.Json;
using MLTransfer.Tests.Networks;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static MLTransfer.Tests.Pages.DataRows.Classes;

namespace MLTransfer.Tests.Pages;

public sealed class DataPageTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly PageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_lines_read_a_table()
    {
        File.WriteAllLines(_folder["articles.csv"], TestData.Stories(6).Select(story => $"{story.Opening},\"{story.Text}, he said:\n\"\"No.\"\"\"")
            .Prepend("Title,Text"));
        AssertTrained(DataPrograms.Table(), steps: 3);
    }

    [Fact]
    public void The_lines_read_JSON_lines()
    {
        File.WriteAllLines(_folder["questions.jsonl"], TestData.Stories(6)
            .Select(story => JsonSerializer.Serialize(new { prompt = story.Opening, completion = story.Text })));
        var model = DataPrograms.JsonLines();
        AssertTrained(model, steps: 3);
        Assert.Single(model.Transform(_ml.Data.LoadFromEnumerable([new Question { Prompt = "Story" }])).GetColumn<string>("Written"));
    }

    [Fact]
    public void The_lines_read_a_folder_of_texts()
    {
        Directory.CreateDirectory(_folder["texts/more"]);
        foreach (var (index, story) in TestData.Stories(6).Index())
            File.WriteAllText(_folder[$"texts/{(index % 2 == 0 ? "more/" : "")}{index}.txt"], story.Text);
        AssertTrained(DataPrograms.Texts(), steps: 3);
    }

    [Fact]
    public void The_lines_read_a_folder_of_pictures_and_the_model_learns_their_labels()
    {
        foreach (var (index, drawing) in Drawings.Make(24).Index())
        {
            Directory.CreateDirectory(_folder["pictures/" + drawing.Class]);
            drawing.Image!.Save(_folder[$"pictures/{drawing.Class}/{index}.png"]);
        }

        var model = DataPrograms.Pictures();

        using var painter = ((IEnumerable<ITransformer>)model).OfType<ImageGeneratorTransformer>().Single();
        Assert.Equal((3, 160), (painter.Model.Generator.LabelWidth, painter.TrainingResult!.Images));
    }

    private static void AssertTrained(ITransformer model, int steps)
    {
        using var writer = (TextGeneratorTransformer)model;
        Assert.Equal(steps, writer.TrainingResult!.Steps);
        Assert.True(writer.TrainingResult.History[^1].Loss < writer.TrainingResult.InitialValidationLoss + 1);
    }
}
