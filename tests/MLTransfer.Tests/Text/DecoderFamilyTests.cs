using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>One text generator trains, saves and loads decoders of every family: which it is comes from <c>config.json</c>.</summary>
public sealed class DecoderFamilyTests
{
    private static readonly string[] s_modelTypes =
    [
        "bert", "gemma2", "gemma3_text", "gpt_neo", "gpt_neox", "gptj", "llama", "mistral", "opt", "phi3", "qwen2", "qwen3", "smollm3",
    ];

    public static IEnumerable<TheoryDataRow<string>> ModelTypes => s_modelTypes.Select(type => new TheoryDataRow<string>(type));

    [Theory]
    [MemberData(nameof(ModelTypes))]
    public void A_pipeline_trains_it_and_its_zip_writes_the_same(string modelType)
    {
        using var folder = new TemporaryFolder();
        var ml = new MLContext(seed: 1);
        MakeModel(modelType, folder["model"]);
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 4).Select(i => new Story { Opening = "Old", Text = $"Old man {i}." }));
        var estimator = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", new TextGeneratorOptions
        {
            PretrainedModel = folder["model"],
            Training = new() { MaximumSteps = 2, BatchSize = 2, LearningRate = 1e-2 },
            ValidationFraction = 0,
            MaximumLength = 12,
            Generation = new() { MaximumNewTokens = 6 },
        });

        using var model = estimator.Fit(rows);
        ml.Model.Save(model, rows.Schema, folder["model.zip"]);
        using var loaded = (IDisposable)ml.Model.Load(folder["model.zip"], out _);

        var texts = Texts(model);
        Assert.All(texts, text => Assert.NotEmpty(text));
        Assert.Equal(texts, Texts((ITransformer)loaded));
        Assert.Equal(modelType, model.Model.Network.Configuration["model_type"]!.ToString());

        IReadOnlyList<string> Texts(ITransformer transformer) => [.. transformer.Transform(rows).GetColumn<string>("Continuation")];
    }

    /// <summary>A family's tiny decoder with the tokenizer of the tiny GPT-2.</summary>
    private static void MakeModel(string modelType, string folder)
    {
        Directory.CreateDirectory(folder);
        var checkpoint = Directory.EnumerateDirectories(RepositoryFiles.Data("families")).Order(StringComparer.Ordinal).First(path =>
        {
            var configuration = JsonNode.Parse(File.ReadAllText(Path.Combine(path, "config.json")))!;
            return configuration["model_type"]!.ToString() == modelType
                && (modelType != "bert" || configuration["is_decoder"]?.GetValue<bool>() == true);
        });
        foreach (var (from, name) in ((string, string)[])
        [
            (checkpoint, "config.json"), (checkpoint, "model.safetensors"), (TestData.TinyModel, "tokenizer.json"),
            (TestData.TinyModel, "tokenizer_config.json"), (TestData.TinyModel, "special_tokens_map.json"),
        ])
            File.Copy(Path.Combine(from, name), Path.Combine(folder, name));
    }
}
