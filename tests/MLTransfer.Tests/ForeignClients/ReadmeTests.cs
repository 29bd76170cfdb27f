using MLTransfer.Text;
using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>The lines of the README that export a model and run it elsewhere do so as they stand there.</summary>
public sealed class ReadmeTests : IDisposable
{
    private const string Prompt = "Once upon a time";

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly string _folderBefore = Environment.CurrentDirectory;
    private readonly TextWriter _outputBefore = Console.Out;
    private readonly TextGeneratorTransformer _model;

    public ReadmeTests()
    {
        Environment.CurrentDirectory = _folder.Path; // the README's paths are relative
        var rows = _ml.Data.LoadFromEnumerable(Array.Empty<PromptRow>());
        _model = _ml.Transforms.Text.GenerateText("Continuation", "Prompt").Fit(rows);
    }

    public void Dispose()
    {
        Console.SetOut(_outputBefore);
        Environment.CurrentDirectory = _folderBefore;
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_CSharp_lines_are_those_that_the_tests_run()
    {
        var source = File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "tests/MLTransfer.Tests/ForeignClients/ReadmeExample.cs"));
        var regions = new List<string>();
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i].StartsWith("        #region", StringComparison.Ordinal))
                regions.Add(string.Join('\n', source[(i + 1)..].TakeWhile(line => line != "        #endregion").Select(line => line[8..])));
        }

        Assert.NotEmpty(regions);
        Assert.Equal(regions, CodeOf("csharp"));
    }

    [Fact]
    public void The_lines_write_the_same_story_in_CSharp_and_in_Node()
    {
        NodeInstallation.Require();
        ReadmeExample.Export(_ml, _model);
        var expected = Prompt + _model.Model.Generate(Prompt, new GenerationOptions { MaximumNewTokens = 40 });

        Assert.Equal(expected, Printed(ReadmeExample.Generate));
        Assert.Equal(expected, NodeProgram.RunModule(Assert.Single(CodeOf("js")), _folder.Path).TrimEnd('\n'));

        var stories = _ml.Data.LoadFromEnumerable([new Story { Opening = Prompt }]);
        Assert.Equal(Prompt + _model.Model.Generate(Prompt), Printed(() => ReadmeExample.Transform(_ml, stories)));
    }

    [Fact]
    public void The_lines_give_logits_in_a_pipeline()
    {
        var ids = _model.Model.Tokenizer.Encode("Once upon a time there was a king who had three sons")[..12];
        var rows = _ml.Data.LoadFromEnumerable([new TokenRow
        {
            InputIds = [.. ids.Select(id => (long)id)],
            AttentionMask = [.. ids.Select(_ => 1L)],
            PositionIds = [.. ids.Select((_, i) => (long)i)],
        }]);

        var logits = ReadmeExample.Score(_ml, _model).Fit(rows).Transform(rows).GetColumn<float[]>("logits").Single();

        var next = Array.IndexOf(logits[^4096..], logits[^4096..].Max());
        var expected = new TokenGenerator(_model.Model.Network).Generate([ids], new GenerationOptions { MaximumNewTokens = 1 });
        Assert.Equal(expected[0][0].TokenIds, [next]);
    }

    private static string[] CodeOf(string language)
    {
        var readme = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md")).ReplaceLineEndings("\n");
        var section = readme.Split("\n## ").Single(part => part.StartsWith("Run it elsewhere\n", StringComparison.Ordinal));
        return [.. section.Split($"```{language}\n").Skip(1).Select(rest => rest[..rest.IndexOf("\n```", StringComparison.Ordinal)])];
    }

    private static string Printed(Action action)
    {
        using var output = new StringWriter { NewLine = "\n" };
        Console.SetOut(output);
        action();
        return output.ToString().TrimEnd('\n');
    }

    private sealed class TokenRow
    {
        [ColumnName("input_ids"), VectorType(12)]
        public long[] InputIds { get; set; } = [];

        [ColumnName("attention_mask"), VectorType(12)]
        public long[] AttentionMask { get; set; } = [];

        [ColumnName("position_ids"), VectorType(12)]
        public long[] PositionIds { get; set; } = [];
    }
}
