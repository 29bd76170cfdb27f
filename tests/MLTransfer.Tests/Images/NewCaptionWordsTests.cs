using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;
using Xunit;
using Tensor = TorchSharp.torch.Tensor;

namespace MLTransfer.Tests.Images;

/// <summary>Captions have words that the base has no token for.</summary>
public sealed class NewCaptionWordsTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly List<CaptionedRow> _rows = TinyCaptions.Rows(4);
    private readonly string _dalle;
    private readonly int _known;

    public NewCaptionWordsTests()
    {
        _dalle = TinyCaptions.Save(_folder["dalle"]);
        _known = TextTokenizer.Load(_dalle).VocabularySize;
        var codec = new System.Text.Json.Nodes.JsonObject
        {
            ["image_size"] = 16, ["num_layers"] = 1, ["num_tokens"] = 32, ["codebook_dim"] = 16, ["hidden_dim"] = 12,
        };
        using var full = DalleModel.Create(DalleModel.Configure(codec, _known, textLength: 8, width: 32, depth: 2, 2, 16), seed: 4);
        full.Save(_dalle); // without room for a further token
        foreach (var row in _rows)
            row.Opening = row.Caption = row.Caption!.Replace("square", "quadrangle", StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_new_word_is_a_token_with_a_row_and_a_zip_draws_it_in_another_process(bool adapterOnly)
    {
        var data = _ml.Data.LoadFromEnumerable(_rows);
        using var tuned = Fit(_dalle, "Opening", data, o =>
        {
            (o.TrainedWords, o.SaveAdapterOnly) = (["quadrangle", "red"], adapterOnly);
            o.Training = TinyCaptions.Training with { LearningRate = 0.03 };
        });
        Assert.Equal(_known, Assert.Single(tuned.Tokenizer!.Encode("quadrangle")));
        Assert.DoesNotContain(_known, tuned.Tokenizer.Encode("quadrangles"));
        Assert.Equal(_known + 1, tuned.Network.TextVocabularySize);
        Assert.Equal(_known + 1, ((DalleModel)tuned.Network).Configuration["hparams"]!["num_text_tokens"]!.GetValue<int>());
        using (TorchSharp.torch.NewDisposeScope())
        {
            using var before = GenerativeNetwork.Load(_dalle);
            var (old, now) = (Table(before), Table(tuned.Network));
            var red = tuned.Tokenizer.Encode("red").Single();
            for (var row = 0; row < old.shape[0]; row++) // known words, then padding
                Assert.Equal(row != red, old[row].Equals(now[row < _known ? row : row + 1]));
            Assert.False(now[_known].Equals(old.narrow(0, 0, _known).mean([0]))); // was trained
        }

        var expected = TinyGenerator.Pixels(tuned.Transform(data));
        _ml.Model.Save(tuned, data.Schema, _folder["model.zip"]);
        var found = await LoadingProcess.RunForPicturesAsync(_folder["model.zip"], "Picture", [.. _rows.Select(row => row.Opening!)]);
        Assert.Equal(4, found.Count);
        Assert.All(expected.Zip(found), pair => Assert.InRange(TinyGenerator.Difference(pair.First, pair.Second), 0, 1));
        using var on = Fit(_folder["model.zip"], "Opening", data, o => o.TrainedWords = ["quadrangle", "triangle"]);
        Assert.Equal([_known, _known + 1], on.Tokenizer!.Encode("quadrangle triangle"));
        var (ended, began) = (tuned.TextToImageResult!.ValidationLoss!.Value, on.TextToImageResult!.InitialValidationLoss!.Value);
        Assert.Equal(ended, began, 0.02); // a further word takes a share of the probability of texts
        Assert.True(tuned.TextToImageResult.InitialValidationLoss > ended + 0.05);

        static Tensor Table(GenerativeNetwork network) =>
            network.CheckpointTensors().Single(tensor => tensor.Key == "text_emb.weight").Value;
    }

    [Fact]
    public void A_DALL_E_mini_learns_a_word_that_it_read_in_pieces()
    {
        var mini = RepositoryFiles.Data("images/min-dalle-tiny");
        using (var codec = VqganModel.Create(VqganModel.Configure(
            8, 48, codewordWidth: 16, channels: 32, [2, 1], residualBlocks: 2, attentionResolutions: [4]), seed: 3))
        {
            Directory.CreateDirectory(_folder["codec"]);
            codec.Save(_folder["codec"]);
        }

        var data = _ml.Transforms.ResizeImages("Image", 8, 8).Fit(_ml.Data.LoadFromEnumerable(_rows))
            .Transform(_ml.Data.LoadFromEnumerable(_rows));
        var known = TextTokenizer.Load(mini);
        Assert.True(known.Encode("quadrangle").Length > 3);
        using var tuned = Fit(mini, "Caption", data, o => (o.TrainedWords, o.CodecFolder) = (["quadrangle"], _folder["codec"]));
        int[] expected = [0, known.VocabularySize, 2];
        Assert.Equal(expected, tuned.Tokenizer!.Encode("Quadrangle"));
        _ml.Model.Save(tuned, data.Schema, _folder["mini.zip"]);
        using var loaded = (TextToImageTransformer)_ml.Model.Load(_folder["mini.zip"], out _);
        Assert.Equal(expected, loaded.Tokenizer!.Encode("quadrangle"));
        Assert.Equal(TinyGenerator.Pixels(tuned.Transform(data)), TinyGenerator.Pixels(loaded.Transform(data)));
        var error = Assert.Throws<ArgumentException>(() => Fit(mini, "Caption", data, o => o.TrainedWords = ["четырёхугольник"]));
        Assert.Contains("четырёхугольник", error.Message, StringComparison.Ordinal); // of which the tokenizer keeps nothing
    }

    private TextToImageTransformer Fit(string model, string caption, IDataView data, Action<ImageGeneratorOptions> change) =>
        (TextToImageTransformer)_ml.Transforms.FineTuneImageGenerator(
            "Picture", caption, "Image", TinyCaptions.Options(model, change)).Fit(data);
}
