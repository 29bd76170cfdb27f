using MLTransfer.Models;
using MLTransfer.Torch.Networks.Transformers;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Pages;

public sealed class TextPageTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly PageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_lines_train_adapters_on_completions()
    {
        Stories.Write(_folder, 12);
        var stories = _ml.Data.LoadFromTextFile<Story>(_folder["stories.tsv"]);
        var model = TextPrograms.Complete(_ml, stories);
        Assert.Equal(12, model.Transform(stories).GetColumn<string>("Continuation").Count(text => text.Length > 0));
        Assert.True(File.Exists(_folder["run/metrics.jsonl"]));
    }

    [Fact]
    public void The_lines_stream_what_is_generated_at_once()
    {
        using var model = _ml.Generation.LoadPretrained();
        var expected = model.Generate("Once upon a time", new() { MaximumNewTokens = 40 });
        Assert.Equal(expected, _folder.Printed(() => TextPrograms.Stream(_ml).GetAwaiter().GetResult()));
    }

    [Fact]
    public void The_engines_lines_train_and_write()
    {
        Directory.CreateDirectory(_folder["gpt2-folder"]);
        foreach (var file in Directory.EnumerateFiles(TalesModel.Folder))
            File.Copy(file, _folder["gpt2-folder/" + Path.GetFileName(file)]);
        File.WriteAllText(_folder["book.txt"], File.ReadAllText(RepositoryFiles.Data("mars-excerpt.txt"))[..4000]);

        Assert.NotEmpty(_folder.Printed(TextPrograms.WithoutMLNet));
    }

    [Fact]
    public void The_line_quantizes()
    {
        using var model = CausalLanguageModel.Load(TestData.TinyModel);
        TextPrograms.Quantize(model);
        Assert.True(model.IsQuantized);
    }

    [Fact]
    public void Both_ways_to_end_a_run_are_taken()
    {
        var options = TextPrograms.EndByKey();

        Assert.True(options.StopAndKeep.CanBeCanceled);
        Assert.True(options.CancellationToken.CanBeCanceled);
    }
}
