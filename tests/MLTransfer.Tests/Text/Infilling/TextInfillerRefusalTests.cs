using Microsoft.ML;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Tests.Text.Infilling;

/// <summary>What cannot work is refused by name, before long work.</summary>
public sealed class TextInfillerRefusalTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly IDataView _data;

    public TextInfillerRefusalTests() => _data = TinyTexts.Data(_ml);

    [Fact]
    public void Missing_columns_are_named_before_the_model_is_looked_for()
    {
        var options = TinyTexts.Options("bert-tiny", o => o.PretrainedModel = "/there/is/no/such/folder");
        foreach (var (estimator, name) in (IEnumerable<(IEstimator<TextInfillerTransformer>, string)>)
        [
            (_ml.Transforms.Text.FineTuneTextInfiller("Out", "Openning", "Text", options), "input column 'Openning'"),
            (_ml.Transforms.Text.FineTuneTextInfiller("Out", "Opening", "Txt", options), "training column 'Txt'"),
            (_ml.Transforms.Text.InfillText("Out", "Number", "/there/is/no/such/folder"), "'Number': expected text, got Single"),
        ])
        {
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => estimator.Fit(_data)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Models_that_fill_no_masks_are_refused_by_what_they_are()
    {
        foreach (var (folder, what) in (IEnumerable<(string, string)>)
        [
            (RepositoryFiles.Data("gpt2-tiny"), "CausalLanguageModel (gpt2)"),
            (TinyTexts.PathOf("t5-encoder-tiny"), "MaskedLanguageModel (t5)"),
            (TinyTexts.PathOf("bart-tiny"), "EncoderDecoderModel (bart)"),
        ])
        {
            var message = Assert.Throws<NotSupportedException>(() => _ml.Generation.LoadTextInfiller(folder)).Message;
            Assert.Contains(what, message, StringComparison.Ordinal);
            Assert.Contains("BertForMaskedLM", message, StringComparison.Ordinal);
        }

        var other = _ml.Transforms.CopyColumns("A", "Text").Fit(_data);
        Assert.Contains(
            "no text infiller", Assert.Throws<ArgumentException>(() => _ml.Generation.EvaluateInfilling(other, _data)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_without_a_mask_is_refused_with_its_folder()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in (string[])["config.json", "model.safetensors"])
            File.Copy(Path.Combine(TinyTexts.PathOf("bert-tiny"), name), folder[name]);
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json"])
            File.Copy(Path.Combine(RepositoryFiles.Data("gpt2-tiny"), name), folder[name]);
        var message = Assert.Throws<InvalidDataException>(() => _ml.Generation.LoadTextInfiller(folder.Path)).Message;
        Assert.StartsWith(folder.Path, message, StringComparison.Ordinal);
        Assert.Contains("mask_token", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_model_names_its_package()
    {
        const string Constant = nameof(PretrainedModels.TalesInfilling);
        var message = Assert.Throws<DirectoryNotFoundException>(() => PretrainedModels.InstalledFolder(
            PretrainedModels.TalesInfilling, Constant, "tales-infilling", Path.GetTempPath())).Message;
        Assert.Contains("dotnet add package MLTransfer.Models.TalesInfilling", message, StringComparison.Ordinal);

        using var model = _ml.Generation.LoadTextInfiller(); // the package of the sample that is built beside these tests
        Assert.Equal("He opened the door.", model.Infill("He opened the [MASK]."));
    }

    [Fact]
    public void Options_out_of_range_are_refused_when_the_estimator_is_made()
    {
        foreach (var (change, name) in (IEnumerable<(Action<TextInfillerOptions>, string)>)
        [
            (o => o.Infilling = new InfillingOptions { MaskedShare = 2 }, "MaskedShare"),
            (o => o.Masking = new MaskingOptions { Share = 0 }, "Share"),
            (o => o.Masking = null!, "Masking"),
            (o => o.RowPacking = (RowPacking)9, "RowPacking"),
            (o => o.MaximumLength = 1, "MaximumLength"),
            (o => o.ValidationFraction = 1, "ValidationFraction"),
            (o => o.Dropout = 1, "Dropout"),
            (o => o.SaveAdapterOnly = true, "SaveAdapterOnly"),
            (o => (o.Lora, o.TrainableBlocks) = (new LoraOptions(), 1), "TrainableBlocks"),
            (o => o.PretrainedModel = " ", "TalesInfilling"),
            (o => o.Training = o.Training with { Seed = 99 }, "Seed"),
            (o => o.Training = o.Training with { SamplePrompts = ["It"] }, "SamplePrompts"),
            (o => o.TokensColumnName = " ", "TokensColumnName"),
            (o => o.CandidatesColumnName = "Scores", "'Scores'"),
            (o => o.DecodingPrecision = (DecodingPrecision)9, "DecodingPrecision"),
            (o => o.WeightType = (WeightType)9, "WeightType"),
        ])
        {
            var message = Assert.ThrowsAny<ArgumentException>(() => _ml.Transforms.Text.FineTuneTextInfiller(
                "Filled", "Opening", "Text", TinyTexts.Options("bert-tiny", change))).Message;
            Assert.Contains(name, message, StringComparison.Ordinal);
        }

        using var loaded = _ml.Generation.LoadTextInfiller(TinyTexts.PathOf("bert-tiny"));
        Assert.Contains("not both", Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.FineTuneTextInfiller(
            "Filled", "Opening", "Text", loaded, TinyTexts.Options("bert-tiny"))).Message, StringComparison.Ordinal);
        foreach (var (options, name) in (IEnumerable<(InfillingEvaluationOptions, string)>)
            [(new() { MaskedShare = 0 }, "MaskedShare"), (new() { BatchSize = 0 }, "BatchSize")])
        {
            Assert.Contains(
                name, Assert.ThrowsAny<ArgumentException>(() => _ml.Generation.EvaluateInfilling(loaded, _data, "Text", options)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_does_not_fit_the_model_or_the_data_is_refused_before_training()
    {
        foreach (var (change, name) in (IEnumerable<(Action<TextInfillerOptions>, string)>)
        [
            (o => o.MaximumLength = 65, "MaximumLength"), (o => o.TrainableBlocks = 3, "TrainableBlocks"),
            (o => o.FrozenParameters = ["nothing.*"], "nothing.*"),
        ])
        {
            var estimator = _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Opening", "Text", TinyTexts.Options("bert-tiny", change));
            Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(() => estimator.Fit(_data)).Message, StringComparison.Ordinal);
        }

        var empty = _ml.Data.LoadFromEnumerable(new[] { new MaskedRow { Opening = "It", Text = "" } });
        var message = Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.FineTuneTextInfiller(
            "Filled", "Opening", "Text", TinyTexts.Options("bert-tiny")).Fit(empty)).Message;
        Assert.Contains("nothing to train on", message, StringComparison.Ordinal);
        Assert.Contains("'Text'", message, StringComparison.Ordinal);
        using var model = _ml.Generation.LoadTextInfiller(TinyTexts.PathOf("bert-tiny"));
        Assert.Throws<ArgumentException>(() => _ml.Generation.EvaluateInfilling(model, empty, "Text"));
        Assert.Contains(
            "has a mask", Assert.Throws<ArgumentException>(() => _ml.Generation.EvaluateInfilling(model, _data, "Opening")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_and_foreign_files_are_refused()
    {
        using var folder = new TemporaryFolder();
        using var model = _ml.Transforms.Text.InfillText("Filled", "Opening", TinyTexts.PathOf("bert-tiny")).Fit(_data);
        _ml.Generation.Save(model, _data.Schema, folder["model.zip"]);
        var message = Assert.Throws<ArgumentException>(() => _ml.Generation.LoadPretrained(folder["model.zip"])).Message;
        Assert.Contains("no text generator", message, StringComparison.Ordinal);

        var bytes = File.ReadAllBytes(folder["model.zip"]);
        bytes[bytes.Length / 2] ^= 0xFF;
        File.WriteAllBytes(folder["damaged.zip"], bytes);
        Assert.ThrowsAny<Exception>(() => _ml.Generation.LoadTextInfiller(folder["damaged.zip"]));
    }

    [Fact]
    public void Memory_is_estimated_from_the_sizes_alone()
    {
        var all = _ml.Generation.EstimateMemory(TinyTexts.Options("bert-tiny"));
        var adapters = _ml.Generation.EstimateMemory(TinyTexts.Options("bert-tiny", o => o.Lora = new LoraOptions()));
        Assert.True(adapters.Optimizer < all.Optimizer);
    }
}
