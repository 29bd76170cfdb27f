using MLTransfer.Tests.ForeignClients;
using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Pages;

/// <summary>The lines of <c>docs/onnx.md</c> export a model and run it elsewhere as they stand there.</summary>
public sealed class OnnxPageTests : IDisposable
{
    private const string Prompt = "Once upon a time";

    private static readonly Page s_page = Page.All.Single(page => page.Name == "docs/onnx.md");

    private readonly MLContext _ml = new(seed: 1);
    private readonly PageFolder _folder = new();
    private readonly TextGeneratorTransformer _model;

    public OnnxPageTests()
    {
        var rows = _ml.Data.LoadFromEnumerable(Array.Empty<PromptRow>());
        _model = _ml.Transforms.Text.GenerateText("Continuation", "Prompt").Fit(rows);
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_lines_write_the_same_story_in_CSharp_and_in_Node()
    {
        NodeInstallation.Require();
        OnnxPrograms.Export(_ml, _model);
        var expected = Prompt + _model.Model.Generate(Prompt, new GenerationOptions { MaximumNewTokens = 40 });

        Assert.Equal(expected, _folder.Printed(OnnxPrograms.Generate));
        Assert.Equal(expected, NodeProgram.RunModule(Assert.Single(s_page.Code("js")), _folder.Path).TrimEnd('\n'));

        var stories = _ml.Data.LoadFromEnumerable([new Story { Opening = Prompt }]);
        Assert.Equal(Prompt + _model.Model.Generate(Prompt), _folder.Printed(() => OnnxPrograms.Transform(_ml, stories)));
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

        var logits = OnnxPrograms.Score(_ml, _model).Fit(rows).Transform(rows).GetColumn<float[]>("logits").Single();

        var next = Array.IndexOf(logits[^4096..], logits[^4096..].Max());
        var expected = new TokenGenerator(_model.Model.Network).Generate([ids], new GenerationOptions { MaximumNewTokens = 1 });
        Assert.Equal(expected[0][0].TokenIds, [next]);
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
