using MLTransfer.Cards;
using MLTransfer.Tests.Images;
using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Cards;

/// <summary>The README.md of a saved model's folder.</summary>
public sealed class ModelCardTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_tuned_text_generators_card_tells_base_licence_data_options_metrics_and_versions()
    {
        var stories = _ml.Data.LoadFromEnumerable(TestData.Stories(10));
        using var model = FineTune(BaseFolder("---\nlicense: apache-2.0\nlanguage:\n- en\n- de\n---\n# A base\n"), stories);
        var card = Card(model, "my-stories");

        var head = FrontMatter.Read(card);
        Assert.Equal(["base"], head["base_model"]);
        Assert.Equal(["finetune"], head["base_model_relation"]);
        Assert.Equal(["apache-2.0"], head["license"]);
        Assert.Equal(["en", "de"], head["language"]);
        Assert.Equal(["transformers"], head["library_name"]);
        Assert.Equal(["text-generation"], head["pipeline_tag"]);
        Assert.Equal(["mltransfer", "ml.net", "torchsharp", "gpt2"], head["tags"]);
        Assert.Contains("\n# my-stories\n", card, StringComparison.Ordinal);
        Assert.Contains("Fine-tuned from `base`, whose licence is `apache-2.0`.", card, StringComparison.Ordinal);
        Assert.Contains("| rows | 9 |", card, StringComparison.Ordinal);
        Assert.Contains("| validation rows | 1 |", card, StringComparison.Ordinal);
        Assert.Matches(@"\| tokens \| [1-9][0-9]+ \|", card);
        Assert.Contains("| LearningRate | 0.003 |", card, StringComparison.Ordinal);
        Assert.Contains("| MaximumSteps | 2 |", card, StringComparison.Ordinal);
        Assert.Contains("| Seed | 77 |", card, StringComparison.Ordinal);
        Assert.Contains("| Rank | 4 |", card, StringComparison.Ordinal);
        Assert.DoesNotContain("AdamBeta1", card, StringComparison.Ordinal); // a default
        var result = model.TrainingResult!;
        Assert.Contains(FormattableString.Invariant($"| loss of the last step | {result.History[^1].Loss:G5} |"), card);
        Assert.Contains(FormattableString.Invariant($"| validation loss | {result.ValidationLoss:G5} |"), card);
        Assert.Contains(FormattableString.Invariant($"| perplexity | {Math.Exp(result.ValidationLoss!.Value):G5} |"), card);
        Assert.Matches(@"\| MLTransfer \| [0-9.]+ \|\n\| TorchSharp \| [0-9.]+ \|\n\| \.NET \| \.NET [^|]+ \|\n", card);
        Assert.Matches(@"\| date \| 20[0-9]{2}-[0-9]{2}-[0-9]{2} \|", card);
        Assert.DoesNotContain(_folder.Path, card, StringComparison.Ordinal); // the user's folders are nobody's business
    }

    [Fact]
    public void The_card_survives_the_zip_and_a_model_tuned_from_the_folder_inherits_its_terms()
    {
        var stories = _ml.Data.LoadFromEnumerable(TestData.Stories(10));
        using var model = FineTune(BaseFolder("---\nlicense: other\nlicense_name: \"My: own\"\n---\n"), stories);
        var card = Card(model, "tuned");
        using var loaded = Loaded(model);
        Assert.Equal(card, Card(loaded, "loaded").Replace("# loaded", "# tuned", StringComparison.Ordinal));

        using var second = FineTune(_folder["tuned"], stories);
        var next = Card(second, "second");
        Assert.Equal(["tuned"], FrontMatter.Read(next)["base_model"]);
        Assert.Equal(["other"], FrontMatter.Read(next)["license"]);
        Assert.Equal(["My: own"], FrontMatter.Read(next)["license_name"]);
        Assert.Contains("a licence of its own (My: own)", next, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Apache License\nVersion 2.0, January 2004", "apache-2.0")]
    [InlineData("Permission is hereby granted, free of charge, to any person", "mit")]
    [InlineData("Thou shalt not copy.", "other")]
    [InlineData(null, "unknown")]
    public void The_licence_of_a_base_without_a_card_is_that_of_its_file_or_said_to_be_unknown(string? text, string expected)
    {
        var folder = BaseFolder(card: null);
        if (text is not null)
            File.WriteAllText(Path.Combine(folder, "LICENSE"), text);
        using var model = _ml.Transforms.Text.GenerateText("Continuation", "Text", folder)
            .Fit(_ml.Data.LoadFromEnumerable(TestData.Stories(1)));
        var card = Card(model, "saved");
        Assert.Equal([expected], FrontMatter.Read(card)["license"]);
        Assert.Equal(expected == "unknown", card.Contains("is not known", StringComparison.Ordinal));
        Assert.Contains("The weights are those of `base`", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Image_generators_and_networks_have_cards_that_survive_their_zips()
    {
        using var painter = _ml.Transforms.FineTuneImageGenerator(
            "Picture", "Seed", "Image", TinyGenerator.Options(TinyGenerator.Save(_folder), training: t => t with { TotalImages = 8 }))
            .Fit(_ml.Data.LoadFromEnumerable(Drawings.Make(8)));
        var card = Card(painter, "painter");
        Assert.Equal(["unconditional-image-generation"], FrontMatter.Read(card)["pipeline_tag"]);
        Assert.Equal(["mltransfer"], FrontMatter.Read(card)["library_name"]);
        Assert.Equal(["tiny"], FrontMatter.Read(card)["base_model"]);
        Assert.Contains("| images | 8 |", card, StringComparison.Ordinal);
        Assert.Contains("| pixels | 16x16 |", card, StringComparison.Ordinal);
        Assert.Contains("| TotalImages | 8 |", card, StringComparison.Ordinal);
        Assert.Contains("| generator loss of the last step |", card, StringComparison.Ordinal);
        using (var loaded = Loaded(painter))
            Assert.Equal(card, Card(loaded, "again").Replace("# again", "# painter", StringComparison.Ordinal));

        using var network = _ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", new TorchModuleOptions
        {
            NewLayers = [Layer.Convolution(4, 3), Layer.GlobalAveragePooling(), Layer.Dense(3)],
            Training = new() { NumberOfEpochs = 1 }, ValidationFraction = 0.25,
        }).Fit(_ml.Data.LoadFromEnumerable(Drawings.Make(8)));
        card = Card(network, "network");
        Assert.Contains("trained from random ones", card, StringComparison.Ordinal);
        Assert.False(FrontMatter.Read(card).ContainsKey("base_model"));
        Assert.Contains("| rows | 6 |", card, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"| validation loss | {network.History.Epochs[0].ValidationLoss:G5} |"), card);
        using (var loaded = Loaded(network))
            Assert.Equal(card, Card(loaded, "again-network").Replace("# again-network", "# network", StringComparison.Ordinal));
    }

    [Fact]
    public void Embedded_models_are_known_by_name_and_old_zips_say_what_is_not_known()
    {
        using var tales = _ml.Transforms.Text.GenerateText("Continuation", "Text", PretrainedModels.Tales)
            .Fit(_ml.Data.LoadFromEnumerable(TestData.Stories(1)));
        var head = FrontMatter.Read(Card(tales, "tales"));
        Assert.Equal(["mltransfer/tales", "mit", "en"], [.. head["base_model"], .. head["license"], .. head["language"]]);

        using var old = (IDisposable)_ml.Model.Load(RepositoryFiles.Data("zips/text-0.1.zip"), out _);
        var card = Card((ITransformer)old, "old");
        Assert.Equal(["unknown"], FrontMatter.Read(card)["license"]);
        Assert.Contains("an earlier version", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_mean_something_in_yaml_or_markdown_stay_names()
    {
        var origin = new BaseOrigin("a: \"b\"\n- c | <b>", "other", "yes", "https://example.org/#l");
        var card = ModelCardFile.Create("# t\n---", new CardKind("text generator", "transformers", null, null), new ModelCard(origin)
        {
            Data = [new("rows | x", "1\n## y")],
        });
        var head = FrontMatter.Read(card);
        Assert.Equal(["a: \"b\" - c | <b>"], head["base_model"]);
        Assert.Equal(["yes"], head["license_name"]);
        Assert.Equal(["https://example.org/#l"], head["license_link"]);
        Assert.Contains("license_name: \"yes\"", card, StringComparison.Ordinal);
        Assert.Contains("| rows \\| x | 1 ## y |", card, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", card[card.IndexOf("\n---\n", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    private TextGeneratorTransformer FineTune(string model, IDataView data) =>
        _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", new TextGeneratorOptions
        {
            PretrainedModel = model, Lora = new LoraOptions { Rank = 4 }, Seed = 77,
            Training = new() { MaximumSteps = 2, LearningRate = 3e-3, Precision = Precision.Float32, OutputDirectory = _folder["run"] },
        }).Fit(data);

    private string Card(ITransformer model, string name)
    {
        _ml.Generation.SaveModelFolder(model, _folder[name]);
        return File.ReadAllText(_folder[$"{name}/README.md"]);
    }

    private ColumnMappingTransformer Loaded(ITransformer model)
    {
        _ml.Model.Save(model, null, _folder["model.zip"]);
        return (ColumnMappingTransformer)_ml.Model.Load(_folder["model.zip"], out _);
    }

    /// <summary>The tiny GPT-2 in a folder with or without a card.</summary>
    private string BaseFolder(string? card)
    {
        Directory.CreateDirectory(_folder["base"]);
        foreach (var file in Directory.EnumerateFiles(TestData.TinyModel))
            File.Copy(file, _folder["base/" + Path.GetFileName(file)]);
        if (card is null)
            File.Delete(_folder["base/README.md"]);
        else
            File.WriteAllText(_folder["base/README.md"], card);
        return _folder["base"];
    }
}
