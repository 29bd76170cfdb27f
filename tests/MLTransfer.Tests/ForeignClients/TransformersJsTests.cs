using MLTransfer.Onnx;
using MLTransfer.Tests.Text;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.ForeignClients;

/// <summary>transformers.js, which knows nothing of MLTransfer, generates from exported folders what <c>Transform</c> generates.</summary>
public class TransformersJsTests
{
    private static readonly string[] s_prompts =
        ["Once upon a time", "The old king rode over the hill , and all", "“Why,” said she, “it’s", "It was 12 o'clock;\n\nthe café"];

    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void The_embedded_model_writes_the_same_texts()
    {
        NodeInstallation.Require();
        var generation = new GenerationOptions { MaximumNewTokens = 40 };
        var data = Prompts("Prompt");
        using var model = _ml.Transforms.Text.GenerateText(
            "Continuation", "Prompt", options: new GenerateTextOptions { Generation = generation }).Fit(data);
        using var folder = new TemporaryFolder();
        _ml.Generation.ExportToOnnx(model, folder["tales"], new OnnxExportOptions { TransformersJsFiles = true, Check = false });

        var expected = Texts(model, data, "Prompt");
        var written = Write(folder, "tales", "fp32", 40);
        Assert.Equal(expected, written.Single);
        Assert.Equal(expected, written.Batch);

        using var quantized = _ml.Generation.LoadOnnx(folder["tales"], options: new OnnxTextGeneratorOptions
        {
            Generation = generation, GenerationBatchSize = 1, ModelFile = "onnx/model_quantized.onnx",
        });
        // Activations are quantized by the range that they have in the whole batch, so texts of a batch may differ.
        Assert.Equal(Texts(quantized, data, "Prompt"), Write(folder, "tales", "q8", 40).Single);
    }

    /// <summary>transformers.js reads all options but the length from <c>generation_config.json</c>.</summary>
    [Fact]
    public void A_fine_tuned_model_with_adapters_writes_the_same_texts_by_its_own_generation_options()
    {
        NodeInstallation.Require();
        var generation =
            new GenerationOptions { MaximumNewTokens = 20, MinimumNewTokens = 4, RepetitionPenalty = 1.3, NoRepeatNgramSize = 3 };
        var options = TextGeneratorPipelineTests.Tiny(o =>
            (o.Training, o.Lora, o.Generation) = (o.Training with { MaximumSteps = 20 }, new LoraOptions { Rank = 4 }, generation));
        using var model = _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", options)
            .Fit(_ml.Data.LoadFromEnumerable(TestData.Stories(8)));
        using var folder = new TemporaryFolder();
        _ml.Generation.ExportToOnnx(model, folder["tuned"], new OnnxExportOptions { TransformersJsFiles = true, Check = false });

        var expected = Texts(model, Prompts("Opening"), "Opening");
        var written = Write(folder, "tuned", "fp32", 20);
        Assert.Equal(expected, written.Single);
        Assert.Equal(expected, written.Batch);
    }

    private static Written Write(TemporaryFolder folder, string model, string dtype, int length) => NodeProgram.Run<Written>(
        "generate.mjs", new { modelPath = folder.Path, model, dtype, prompts = s_prompts, options = new { max_new_tokens = length } });

    private IDataView Prompts(string column) => column == "Prompt"
        ? _ml.Data.LoadFromEnumerable(s_prompts.Select(prompt => new PromptRow { Prompt = prompt }))
        : _ml.Data.LoadFromEnumerable(s_prompts.Select(prompt => new Story { Opening = prompt }));

    private static string[] Texts(ITransformer model, IDataView data, string promptColumn)
    {
        var view = model.Transform(data);
        return [.. view.GetColumn<string>(promptColumn).Zip(view.GetColumn<string>("Continuation"), string.Concat)];
    }

    private sealed record Written(string[] Single, string[] Batch);
}
