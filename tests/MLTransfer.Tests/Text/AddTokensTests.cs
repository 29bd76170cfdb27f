using System.Text.Json.Nodes;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Text;

/// <summary>New tokens: in the tokenizer, in the tables, in what is written.</summary>
public sealed class AddTokensTests : IDisposable
{
    private const string Token = "<mars>";

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;

    public AddTokensTests()
    {
        _data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new Story
        {
            Opening = "The old man saw", Text = $"The old man saw {Token} and {Token} and {Token} and {Token} and {Token}",
        }));
        Directory.CreateDirectory(_folder["base"]);
        foreach (var file in (string[])["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
            "special_tokens_map.json"])
            File.Copy(Path.Combine(TestData.TinyModel, file), _folder[$"base/{file}"]);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void Adapters_learn_to_write_a_new_token_and_no_other_row_of_the_table_changes(Precision precision)
    {
        using var model = Fit(o =>
        {
            (o.Lora, o.AddTokens) = (new LoraOptions { Rank = 8 }, [Token]);
            o.Training = o.Training with { Precision = precision };
        });

        Assert.Equal([700], model.Model.Tokenizer.Encode(Token));
        Assert.Equal(701, model.Model.Network.VocabularySize);
        Assert.Null(model.Model.Network.Lora);
        Assert.All(Texts(model), text => Assert.Contains(Token, text, StringComparison.Ordinal));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var before = CausalLanguageModel.Load(_folder["base"]);
        var table = model.Model.Network.TokenEmbedding;
        Assert.True(table.narrow(0, 0, 700).equal(before.TokenEmbedding).all().item<bool>());
        var moved = (table[700] - before.TokenEmbedding.mean([0])).abs().max().item<float>();
        Assert.InRange(moved, 1e-3, 1); // it started from the mean
    }

    [Fact]
    public void The_zip_and_the_folder_write_what_the_model_writes()
    {
        using var model = Fit(o => (o.Lora, o.AddTokens) = (new LoraOptions { Rank = 8 }, [Token]));
        var texts = Texts(model);

        _ml.Model.Save(model, _data.Schema, _folder["model.zip"]);
        using (var loaded = (TextGeneratorTransformer)_ml.Model.Load(_folder["model.zip"], out _))
            Assert.Equal(texts, Texts(loaded));
        _ml.Generation.SaveModelFolder(model, _folder["saved"]);
        var configuration = JsonNode.Parse(File.ReadAllText(_folder["saved/config.json"]))!;
        Assert.Equal(701, configuration["vocab_size"]!.GetValue<int>());
        Assert.Equal([700], TextTokenizer.Load(_folder["saved"]).Encode(Token));
        using var ofFolder = _ml.Transforms.Text.GenerateText(
            "Continuation", "Opening", _folder["saved"], new GenerateTextOptions { Generation = new() { MaximumNewTokens = 8 } })
            .Fit(_data);
        Assert.Equal(texts, Texts(ofFolder));
    }

    [Fact]
    public void A_zip_of_adapters_alone_has_the_rows_and_the_tokenizer_and_is_trained_on()
    {
        var lora = new LoraOptions { Rank = 8 };
        using var model = Fit(o => (o.Lora, o.AddTokens, o.SaveAdapterOnly) = (lora, [Token], true));
        var texts = Texts(model);
        Assert.All(texts, text => Assert.Contains(Token, text, StringComparison.Ordinal));
        _ml.Model.Save(model, _data.Schema, _folder["adapters.zip"]);
        Assert.True(new FileInfo(_folder["adapters.zip"]).Length < new FileInfo(_folder["base/model.safetensors"]).Length / 2);

        using var loaded = (TextGeneratorTransformer)_ml.Model.Load(_folder["adapters.zip"], out _);
        Assert.Equal(texts, Texts(loaded));
        _ml.Generation.SaveModelFolder(loaded, _folder["merged"]);
        using var merged = _ml.Generation.LoadPretrained(_folder["merged"]);
        Assert.Equal([700], merged.Tokenizer.Encode(Token));

        // The same tokens are no longer new: adapters and rows are where training goes on.
        using var unchanged = Fit(o =>
        {
            (o.PretrainedModel, o.Lora, o.AddTokens, o.SaveAdapterOnly) = (_folder["adapters.zip"], lora, [Token], true);
            o.Training = o.Training with { LearningRate = 0 };
        });
        Assert.Equal(texts, Texts(unchanged));
        Assert.Equal([700], unchanged.Model.Network.Lora!.TrainedTokens);
    }

    [Fact]
    public void Without_adapters_the_table_grows_and_all_of_it_is_trained()
    {
        using var model = Fit(o => o.AddTokens = [Token, "<venus>"]);
        Assert.Equal(702, model.Model.Network.TokenEmbedding.shape[0]);
        Assert.Equal([701, 700], model.Model.Tokenizer.Encode($"<venus>{Token}"));
        Assert.All(Texts(model), text => Assert.Contains(Token, text, StringComparison.Ordinal));
        using var before = CausalLanguageModel.Load(_folder["base"]);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Assert.False(model.Model.Network.TokenEmbedding.narrow(0, 0, 700).equal(before.TokenEmbedding).all().item<bool>());
    }

    [Fact]
    public void A_base_in_bfloat16_keeps_its_type_beside_the_trained_rows()
    {
        using (var network = CausalLanguageModel.Load(_folder["base"]))
            network.Save(_folder["base"], ScalarType.BFloat16);
        using var model = Fit(o =>
        {
            (o.Lora, o.AddTokens) = (new LoraOptions { Rank = 8 }, [Token]);
            o.Training = o.Training with { Precision = Precision.BFloat16 };
        });
        Assert.Equal(ScalarType.BFloat16, model.Model.Network.TokenEmbedding.dtype);
        Assert.All(Texts(model), text => Assert.Contains(Token, text, StringComparison.Ordinal));
    }

    [Fact]
    public void Descriptions_and_estimates_know_of_them()
    {
        var options = Options(o => o.AddTokens = [Token]);
        var with = _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", options).DescribeTrainingData(_data);
        var without = _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", Options(_ => { }))
            .DescribeTrainingData(_data);
        Assert.True(with.Tokens < without.Tokens); // a token where there were several

        var adapters = _ml.Generation.EstimateMemory(Options(o => o.Lora = new()));
        var tokens = _ml.Generation.EstimateMemory(Options(o => (o.Lora, o.AddTokens) = (new(), [Token])));
        Assert.Equal(adapters.Optimizer + 2 * 4 * 64, tokens.Optimizer); // of one row of 64 numbers
    }

    [Fact]
    public void What_cannot_be_is_refused_before_training()
    {
        Assert.Contains("AddTokens holds an empty text", Error(o => o.AddTokens = [Token, ""]), StringComparison.Ordinal);
        Assert.Contains("AddTokens would learn nothing", Error(o => (o.AddTokens, o.TrainableBlocks) = ([Token], 1)),
            StringComparison.Ordinal);

        string Error(Action<TextGeneratorOptions> change) => Assert.Throws<ArgumentException>(() => Fit(change)).Message;
    }

    [Fact]
    public void An_infiller_learns_them_too()
    {
        Directory.CreateDirectory(_folder["bert"]);
        foreach (var file in (string[])["config.json", "model.safetensors"])
            File.Copy(RepositoryFiles.Data($"families/roberta-tiny/{file}"), _folder[$"bert/{file}"]);
        var size = JsonNode.Parse(File.ReadAllText(_folder["bert/config.json"]))!["vocab_size"]!.GetValue<int>();
        WriteWords(_folder["bert"], size);
        var estimator = _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Text", options: new TextInfillerOptions
        {
            PretrainedModel = _folder["bert"], AddTokens = [Token], Lora = new LoraOptions { Rank = 2 }, MaximumLength = 16,
            Training = new() { MaximumSteps = 2, BatchSize = 2 },
        });
        using var model = estimator.Fit(_data);
        Assert.Equal(size + 1, model.Model.Network.VocabularySize);
        Assert.Contains(size, model.Model.Tokenizer.Encode($"old {Token}"));
    }

    /// <summary>A WordPiece vocabulary of as many words as a network has tokens.</summary>
    private static void WriteWords(string folder, int size)
    {
        string[] special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "old", "man", "saw", "and"];
        File.WriteAllLines(
            Path.Combine(folder, "vocab.txt"),
            special.Concat(Enumerable.Range(special.Length, size - special.Length).Select(i => $"word{i}")));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """
            {"tokenizer_class": "BertTokenizer", "do_lower_case": true, "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
             "mask_token": "[MASK]", "unk_token": "[UNK]"}
            """);
    }

    private TextGeneratorTransformer Fit(Action<TextGeneratorOptions> change) =>
        _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", Options(change)).Fit(_data);

    private TextGeneratorOptions Options(Action<TextGeneratorOptions> change)
    {
        var options = new TextGeneratorOptions
        {
            PretrainedModel = _folder["base"],
            Training = new()
            {
                MaximumSteps = 60, BatchSize = 4, LearningRate = 2e-2, Precision = Precision.Float32, KeepBestModel = false,
            },
            RowPacking = RowPacking.None,
            Dropout = 0,
            MaximumLength = 48,
            ValidationFraction = 0,
            Generation = new() { MaximumNewTokens = 8 },
        };
        change(options);
        return options;
    }

    private List<string> Texts(TextGeneratorTransformer transformer) => [.. transformer.Transform(_data).GetColumn<string>("Continuation")];
}
