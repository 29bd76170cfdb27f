using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

public sealed class OnnxTextGeneratorTests : IDisposable
{
    private static readonly GenerationOptions s_short = new() { MaximumNewTokens = 12 };

    private readonly MLContext _ml = new(seed: 1);
    private readonly TextGenerationModel _model = TextGenerationModel.Load(TestData.TinyModel);
    private readonly TemporaryFolder _folder = new();

    public OnnxTextGeneratorTests() =>
        OnnxExporter.Export(_model.Network, _model.Tokenizer, _folder["export"], new OnnxExportOptions { Check = false });

    public static TheoryData<string, GenerationOptions> Options => new()
    {
        { "greedy", s_short },
        { "sampling with the context's seed", s_short with { Sample = true, TopP = 0.9 } },
        { "beams", s_short with { BeamCount = 3 } },
        { "stop string", s_short with { MaximumNewTokens = 40, StopStrings = ["e"] } },
    };

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Transform_gives_the_columns_of_the_TorchSharp_transformer(string name, GenerationOptions generation)
    {
        var data = Data(5);
        var torch = _ml.Transforms.Text.GenerateText("Continuation", "Opening", _model, new GenerateTextOptions
        {
            Generation = generation, GenerationBatchSize = 2, TokenIdsColumnName = "Ids", LogProbabilitiesColumnName = "Scores",
        }).Fit(data).Transform(data);
        using var transformer = Load(o =>
            (o.Generation, o.GenerationBatchSize, o.TokenIdsColumnName, o.LogProbabilitiesColumnName) = (generation, 2, "Ids", "Scores"));

        var onnx = transformer.Transform(data);

        Assert.Equal(torch.Schema.Select(c => (c.Name, c.Type.ToString())), onnx.Schema.Select(c => (c.Name, c.Type.ToString())));
        Assert.Equal(torch.Schema.Select(c => c.Name), transformer.GetOutputSchema(data.Schema).Select(c => c.Name));
        Assert.Equal(torch.GetColumn<string>("Continuation"), onnx.GetColumn<string>("Continuation"));
        Assert.Equal(torch.GetColumn<int[]>("Ids"), onnx.GetColumn<int[]>("Ids"));
        Assert.All(torch.GetColumn<float[]>("Scores").Zip(onnx.GetColumn<float[]>("Scores")), row =>
            Assert.All(row.First.Zip(row.Second), score => Assert.Equal(score.First, score.Second, 1e-3)));
        Assert.Equal(torch.GetColumn<string>("Text"), onnx.GetColumn<string>("Text"));
        Assert.NotEmpty(name);
    }

    [Fact]
    public void Several_sequences_of_a_prompt_are_a_vector()
    {
        var data = Data(3);
        var generation = s_short with { Sample = true, SequencesPerPrompt = 3, Seed = 4 };
        var torch = _ml.Transforms.Text.GenerateText(
            "Continuation", "Opening", _model, new GenerateTextOptions { Generation = generation }).Fit(data).Transform(data);
        using var transformer = Load(o => o.Generation = generation);
        Assert.Equal(torch.GetColumn<string[]>("Continuation"), transformer.Transform(data).GetColumn<string[]>("Continuation"));
    }

    [Fact]
    public void A_folder_is_all_that_must_be_given()
    {
        using var transformer = _ml.Generation.LoadOnnx(_folder["export"]);
        var rows = _ml.Data.LoadFromEnumerable([new PromptRow { Prompt = "The old" }]);
        Assert.Equal([_model.Generate("The old")], transformer.Transform(rows).GetColumn<string>("Continuation"));
    }

    [Fact]
    public void A_prediction_engine_generates()
    {
        using var transformer = Load();
        using var engine = _ml.Model.CreatePredictionEngine<Story, Continued>(transformer);
        foreach (var story in TestData.Stories(3))
            Assert.Equal(_model.Generate(story.Opening!, s_short), engine.Predict(story).Continuation);
    }

    [Fact]
    public void Wrong_options_and_columns_are_refused_before_anything_is_loaded()
    {
        Assert.Contains("GenerationBatchSize", Error(o => o.GenerationBatchSize = 0), StringComparison.Ordinal);
        Assert.Contains("ThreadCount", Error(o => o.ThreadCount = -1), StringComparison.Ordinal);
        Assert.Contains("ModelFile", Error(o => o.ModelFile = "../model.onnx"), StringComparison.Ordinal);
        Assert.Contains("TopP", Error(o => o.Generation = new() { TopP = 2 }), StringComparison.Ordinal);
        Assert.Contains("'Continuation'", Error(o => o.TokenIdsColumnName = "Continuation"), StringComparison.Ordinal);
        using var transformer = Load();
        var noPrompts = _ml.Data.LoadFromEnumerable([new Continued { Continuation = "x" }]);
        Assert.Contains("input column 'Opening'", Assert.Throws<ArgumentException>(() => transformer.Transform(noPrompts)).Message,
            StringComparison.Ordinal);

        string Error(Action<OnnxTextGeneratorOptions> change)
        {
            var options = new OnnxTextGeneratorOptions();
            change(options);
            return Assert.ThrowsAny<ArgumentException>(() => _ml.Generation.LoadOnnx("no-such-folder", options: options)).Message;
        }
    }

    [Fact]
    public void A_folder_that_is_not_an_export_is_refused_with_its_name()
    {
        var error = Assert.Throws<FileNotFoundException>(() => _ml.Generation.LoadOnnx(TestData.TinyModel));
        Assert.Contains(TestData.TinyModel, error.Message, StringComparison.Ordinal);
        Assert.Contains("is not an ONNX export", error.Message, StringComparison.Ordinal);
    }

    private IDataView Data(int count) => _ml.Data.LoadFromEnumerable(TestData.Stories(count));

    private OnnxTextGeneratorTransformer Load(Action<OnnxTextGeneratorOptions>? change = null)
    {
        var options = new OnnxTextGeneratorOptions { Generation = s_short, ThreadCount = 1 };
        change?.Invoke(options);
        return _ml.Generation.LoadOnnx(_folder["export"], "Continuation", "Opening", options);
    }
}
