using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Catalogs;

/// <summary>From texts alone: a tokenizer, a model with new weights, and what it learns.</summary>
public sealed class TokenizerCatalogTests
{
    private const string Tiny = """{ "model_type": "gpt2", "n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 32 }""";

    private readonly MLContext _ml = new(seed: 1);
    private readonly IDataView _stories;

    public TokenizerCatalogTests() => _stories = _ml.Data.LoadFromEnumerable(TestData.Stories(8));

    [Fact]
    public void A_text_column_gives_the_tokenizer_of_its_texts()
    {
        var options = new TokenizerTrainingOptions { Kind = TokenizerKind.WordPiece, VocabularySize = 60, Lowercases = true };

        var tokenizer = _ml.Generation.TrainTokenizer(_stories, "Text", options);

        var expected = TextTokenizer.Train(_stories.GetColumn<string>("Text"), options);
        Assert.All(expected.Files, file => Assert.Equal(file.Value, tokenizer.Files[file.Key]));
        Assert.Equal(2, tokenizer.Files.Count);
    }

    [Fact]
    public void The_log_tells_what_is_trained_and_how_large_it_became()
    {
        var lines = new List<string>();
        _ml.Log += (_, e) => lines.Add(e.Message);

        var tokenizer = _ml.Generation.TrainTokenizer(_stories, "Text", new() { VocabularySize = 300 });

        Assert.Contains(lines, line =>
            line.Contains("Training a tokenizer (ByteLevelBytePairs) on column 'Text'", StringComparison.Ordinal));
        Assert.Contains(lines, line =>
            line.Contains($"Trained a tokenizer with {tokenizer.VocabularySize} tokens.", StringComparison.Ordinal));
    }

    [Fact]
    public void Columns_and_options_are_checked_before_rows_are_read()
    {
        var unread =
            _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 1).Select<int, Story>(_ => throw new InvalidOperationException("read")));

        Assert.Contains(
            "'Txt'", Assert.Throws<ArgumentException>(() => _ml.Generation.TrainTokenizer(unread, "Txt")).Message,
                StringComparison.Ordinal);
        Assert.Contains("'Number': expected text", Assert.Throws<ArgumentException>(
            () => _ml.Generation.TrainTokenizer(unread, "Number")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(
            "VocabularySize", () => _ml.Generation.TrainTokenizer(unread, "Text", new() { VocabularySize = 7 }));
        Assert.Throws<OperationCanceledException>(
            () => _ml.Generation.TrainTokenizer(_stories, "Text", cancellationToken: new CancellationToken(canceled: true)));
    }

    [Theory]
    [InlineData(TokenizerKind.ByteLevelBytePairs)]
    [InlineData(TokenizerKind.Unigram)]
    [InlineData(TokenizerKind.WordPiece)]
    [InlineData(TokenizerKind.WordLevel)]
    public void A_model_is_trained_from_nothing_saved_and_loaded(TokenizerKind kind)
    {
        using var folder = new TemporaryFolder();
        var tokenizer = _ml.Generation.TrainTokenizer(_stories, "Text", new() { Kind = kind, VocabularySize = 300 });
        using var untrained = _ml.Generation.CreateTextGenerator(Tiny, tokenizer);

        using var model = _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", untrained, new TextGeneratorOptions
        {
            Training = new() { MaximumSteps = 20, BatchSize = 4, LearningRate = 2e-2 },
            ValidationFraction = 0,
            Generation = new() { MaximumNewTokens = 5 },
        }).Fit(_stories);
        _ml.Generation.SaveModelFolder(model, folder["model"]);
        using var loaded = _ml.Generation.LoadPretrained(folder["model"]);

        Assert.True(Loss(loaded) < Loss(untrained) - 1, $"{Loss(loaded)} after {Loss(untrained)}");
        Assert.All(tokenizer.Files, file => Assert.Equal(file.Value, File.ReadAllBytes(folder[$"model/{file.Key}"])));
        Assert.Equal(8, model.Transform(_stories).GetColumn<string>("Continuation").Count());
    }

    [Fact]
    public void The_configuration_is_completed_by_the_tokenizer_and_weights_come_from_the_seed()
    {
        using var folder = new TemporaryFolder();
        var tokenizer = _ml.Generation.TrainTokenizer(_stories, "Text", new() { VocabularySize = 290 });

        using var first = _ml.Generation.CreateTextGenerator(Tiny, tokenizer, seed: 5);
        using var same = _ml.Generation.CreateTextGenerator(Tiny, tokenizer, seed: 5);
        using var ofContext = new MLContext(seed: 5).Generation.CreateTextGenerator(Tiny, tokenizer);
        using var other = _ml.Generation.CreateTextGenerator(Tiny, tokenizer, seed: 6);
        first.Save(folder["model"]);
        using var loaded = CausalLanguageModel.Load(folder["model"]);

        Assert.Equal((tokenizer.VocabularySize, 0, 0),
            (first.Network.VocabularySize, (int)loaded.Configuration["bos_token_id"]!, (int)loaded.Configuration["eos_token_id"]!));
        Assert.Equal(Weights(first.Network), Weights(same.Network));
        Assert.Equal(Weights(first.Network), Weights(ofContext.Network));
        Assert.Equal(Weights(first.Network), Weights(loaded));
        Assert.NotEqual(Weights(first.Network), Weights(other.Network));

        static float[] Weights(CausalLanguageModel network) =>
            [.. network.parameters().SelectMany(weight => weight.data<float>().ToArray())];
    }

    [Theory]
    [InlineData("""{ "model_type": "gpt2", "vocab_size": 256 }""", "vocab_size of the configuration is 256, but the tokenizer has ")]
    [InlineData("""{ "model_type": "gpt2", "eos_token_id": 7 }""", "eos_token_id of the configuration is 7, but the tokenizer's is 0")]
    [InlineData(
        """{ "model_type": "gpt2", "eos_token_id": [7, 8] }""", "eos_token_id of the configuration is [7,8], but the tokenizer's is 0")]
    [InlineData(
        """{ "model_type": "gpt2", "vocab_size": "many" }""", "vocab_size of the configuration is \"many\"; expected a whole number")]
    public void What_does_not_go_with_the_tokenizer_is_refused(string configuration, string message)
    {
        var tokenizer = _ml.Generation.TrainTokenizer(_stories, "Text", new() { VocabularySize = 290 });

        Assert.Contains(message, Assert.Throws<ArgumentException>(
            () => _ml.Generation.CreateTextGenerator(configuration, tokenizer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_of_no_decoder_and_one_that_is_malformed_are_refused()
    {
        var tokenizer = _ml.Generation.TrainTokenizer(_stories, "Text", new() { VocabularySize = 290 });

        Assert.Throws<InvalidDataException>(() => _ml.Generation.CreateTextGenerator("{", tokenizer));
        Assert.Throws<NotSupportedException>(() => _ml.Generation.CreateTextGenerator("""{ "model_type": "mamba" }""", tokenizer));
        Assert.Throws<NotSupportedException>(() => _ml.Generation.CreateTextGenerator(
            """{ "model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16 }""",
                tokenizer));
    }

    private double Loss(TextGenerationModel model) => _ml.Generation.Evaluate(model, _stories, "Text").Loss;
}
