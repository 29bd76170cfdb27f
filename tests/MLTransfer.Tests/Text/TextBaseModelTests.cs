using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>Training on: a text generator starts from one that was trained before.</summary>
public sealed class TextBaseModelTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;

    public TextBaseModelTests() => _data = _ml.Data.LoadFromEnumerable(TestData.Stories(8));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_form_of_a_base_gives_the_weights_that_its_folder_gives()
    {
        using var first = Fit(o => o.Dropout = 0.1);
        var before = TransformerWeights.Bytes(first);
        var chain = _ml.Transforms.CopyColumns("Copy", "Number").Fit(_data).Append(first);
        _ml.Model.Save(chain, _data.Schema, _folder["first.zip"]);
        File.Move(_folder["first.zip"], _folder["first.model"]); // known by its content
        var loaded = _ml.Model.Load(_folder["first.model"], out _);
        _ml.Generation.SaveModelFolder(first, _folder["first"]);

        using var ofFolder = Fit(o => o.PretrainedModel = _folder["first"]);

        using var ofZip = Fit(o => o.PretrainedModel = _folder["first.model"]);
        using var ofTransformer = Fit(o => (o.PretrainedModel, o.BaseModel) = (PretrainedModels.Tales, first));
        using var ofChain = Fit(o => (o.PretrainedModel, o.BaseModel) = (PretrainedModels.Tales, loaded));
        var estimator = _ml.Transforms.Text.FineTuneTextGenerator(
            "Out", "Opening", "Text", first.Model, Options(o => o.PretrainedModel = PretrainedModels.Tales));
        using var ofModel = estimator.Fit(_data);
        var expected = TransformerWeights.Bytes(ofFolder);
        Assert.NotEqual(before, expected);
        Assert.All((TextGeneratorTransformer[])[ofZip, ofTransformer, ofChain, ofModel],
            other => Assert.Equal(expected, TransformerWeights.Bytes(other)));
        Assert.Equal(before, TransformerWeights.Bytes(first)); // the base stays as it is
        Assert.All(first.Model.Network.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Adapters_of_the_base_are_trained_on_where_the_options_agree_and_merged_where_not()
    {
        var lora = new LoraOptions { Rank = 2 };
        CopyTinyModel();
        using var first = Fit(o =>
        {
            (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["base"], lora, true);
            o.Training = o.Training with { KeepBestModel = false };
        });
        var adapters = Adapters(first);
        _ml.Model.Save(first, _data.Schema, _folder["first.zip"]);

        using var same = Fit(o => (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["first.zip"], lora, true));
        using var loaded = Fit(
            o => (o.BaseModel, o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (first, PretrainedModels.Tales, lora, true));
        using var untrained = Fit(o =>
        {
            (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["first.zip"], lora, true);
            o.Training = o.Training with { LearningRate = 0 };
        });
        using var other = Fit(o => (o.PretrainedModel, o.Lora) = (_folder["first.zip"], new LoraOptions { Rank = 3 }));
        _ml.Generation.SaveModelFolder(first, _folder["merged"]);
        using var ofMerged = Fit(o => (o.PretrainedModel, o.Lora) = (_folder["merged"], new LoraOptions { Rank = 3 }));

        Assert.Equal(adapters, Adapters(untrained)); // they are where training began
        Assert.NotEqual(adapters, Adapters(same));
        Assert.Equal(Adapters(same), Adapters(loaded));
        Assert.Equal(adapters, Adapters(first));
        Assert.Equal(TransformerWeights.Bytes(ofMerged), TransformerWeights.Bytes(other));
        _ml.Model.Save(same, _data.Schema, _folder["same.zip"]);
        using var again = (TextGeneratorTransformer)_ml.Model.Load(_folder["same.zip"], out _);
        Assert.Equal(Adapters(same), Adapters(again)); // of the first one's base
        Assert.Contains("SaveAdapterOnly needs a base that a file can name", Error(
            o => (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["first.zip"], new LoraOptions { Rank = 3 }, true)),
            StringComparison.Ordinal);

        static byte[] Adapters(TextGeneratorTransformer model) =>
            [.. PeftAdapterFolder.Tensors(model.Model.Network).SelectMany(tensor => tensor.Value.bytes.ToArray())];
    }

    [Fact]
    public void A_zip_generates_and_is_loaded_without_training()
    {
        CopyTinyModel();
        using var first = Fit(o => (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["base"], new LoraOptions { Rank = 2 }, true));
        _ml.Model.Save(first, _data.Schema, _folder["first.zip"]);
        _ml.Generation.SaveModelFolder(first, _folder["merged"]);

        using var ofZip = _ml.Transforms.Text.GenerateText("Out", "Opening", _folder["first.zip"]).Fit(_data);
        using var ofFolder = _ml.Transforms.Text.GenerateText("Out", "Opening", _folder["merged"]).Fit(_data);
        using var model = _ml.Generation.LoadPretrained(_folder["first.zip"]);

        Assert.Equal(ofFolder.Transform(_data).GetColumn<string>("Out"), ofZip.Transform(_data).GetColumn<string>("Out"));
        Assert.Equal(TransformerWeights.Bytes(ofFolder), TransformerWeights.Bytes(model.Network));
    }

    [Fact]
    public void What_is_no_base_is_refused_by_name()
    {
        var copy = _ml.Transforms.CopyColumns("Copy", "Text").Fit(_data);
        _ml.Model.Save(copy, _data.Schema, _folder["copy.zip"]);

        Assert.Contains("copy.zip': The model has no text generator", Error(o => o.PretrainedModel = _folder["copy.zip"]),
            StringComparison.Ordinal);
        Assert.Contains(
            "no text generator", Error(o => (o.PretrainedModel, o.BaseModel) = (PretrainedModels.Tales, copy)), StringComparison.Ordinal);
        Assert.Contains("not both", Error(o => o.BaseModel = copy), StringComparison.Ordinal);
        Assert.Contains("There is no file", Assert.Throws<FileNotFoundException>(() => Fit(o => o.PretrainedModel = "nothing.zip")).Message,
            StringComparison.Ordinal);
        using var quantized = TextGenerationModel.Load(TestData.TinyModel);
        WeightQuantization.Quantize(quantized.Network);
        var estimator = _ml.Transforms.Text.FineTuneTextGenerator(
            "Out", "Opening", "Text", quantized, Options(o => o.PretrainedModel = PretrainedModels.Tales));
        Assert.Contains("int8", Assert.Throws<ArgumentException>(() => estimator.Fit(_data)).Message, StringComparison.Ordinal);
        var twice = Assert.Throws<ArgumentException>(
            () => _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", quantized, Options()));
        Assert.Contains("not both", twice.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DecodingPrecision.Float32)]
    [InlineData(DecodingPrecision.Int8)]
    [InlineData(DecodingPrecision.Int4)]
    public async Task The_text_generator_of_a_loaded_chain_streams_the_text_of_the_column(DecodingPrecision precision)
    {
        using var fitted = Fit(o => o.DecodingPrecision = precision);
        var chain = _ml.Transforms.CopyColumns("Copy", "Number").Fit(_data).Append(fitted);
        _ml.Model.Save(chain, _data.Schema, _folder["chain.zip"]);
        var loaded = _ml.Model.Load(_folder["chain.zip"], out _);
        var written = loaded.Transform(_data).GetColumn<string>("Out").First();

        var generator = _ml.Generation.GetTextGenerator(loaded);

        Assert.Equal(
            precision switch
            {
                DecodingPrecision.Int8 => QuantizationFormat.Int8,
                DecodingPrecision.Int4 => QuantizationFormat.Int4,
                _ => (QuantizationFormat?)null,
            },
            generator.Network.QuantizedTo);
        var pieces = new List<string>();
        await foreach (var piece in generator.StreamAsync(TestData.Stories(1)[0].Opening!, fitted.Generation))
            pieces.Add(piece);
        Assert.Equal(written, string.Concat(pieces));
        Assert.Same(generator, _ml.Generation.GetTextGenerator(loaded)); // the transformer's own
        Assert.Contains("no text generator", Assert.Throws<ArgumentException>(
            () => _ml.Generation.GetTextGenerator(_ml.Transforms.CopyColumns("A", "Text").Fit(_data))).Message, StringComparison.Ordinal);
        ((IDisposable)loaded).Dispose();
        Assert.Throws<ObjectDisposedException>(() => _ml.Generation.GetTextGenerator(loaded));
    }

    private void CopyTinyModel()
    {
        Directory.CreateDirectory(_folder["base"]);
        foreach (var file in Directory.EnumerateFiles(TestData.TinyModel))
            File.Copy(file, _folder["base/" + Path.GetFileName(file)]);
    }

    private TextGeneratorTransformer Fit(Action<TextGeneratorOptions>? change = null) =>
        _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", Options(change)).Fit(_data);

    private string Error(Action<TextGeneratorOptions> change) => Assert.ThrowsAny<ArgumentException>(() => Fit(change)).Message;

    private static TextGeneratorOptions Options(Action<TextGeneratorOptions>? change = null) => TextGeneratorPipelineTests.Tiny(change);
}
