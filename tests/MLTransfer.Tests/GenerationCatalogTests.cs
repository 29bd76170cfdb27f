using MLTransfer.Tests.Text;
using Microsoft.ML;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests;

public class GenerationCatalogTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Evaluation_is_the_mean_over_predicted_tokens_of_blocks_of_the_context_with_the_end_of_each_text()
    {
        using var model = _ml.Generation.LoadPretrained(TestData.TinyModel);
        string[] texts = [string.Concat(Enumerable.Repeat("The old man looked at the planet. ", 20)), "Short.", "", "é"];
        var data = _ml.Data.LoadFromEnumerable(texts.Select(text => new Story { Text = text }));

        var metrics = _ml.Generation.Evaluate(model, data, "Text");

        double sum = 0;
        long count = 0;
        int[] Ids(string text) => [.. model.Tokenizer.Encode(text), model.Tokenizer.EndOfSequenceId!.Value];
        foreach (var block in texts.Where(text => text.Length > 0).SelectMany(text => Ids(text).Chunk(64)))
        {
            using var scope = NewDisposeScope();
            using var gradients = no_grad();
            var logits = model.Network.Forward(new(tensor(block.Select(id => (long)id).ToArray()).unsqueeze(0)));
            var logProbabilities = nn.functional.log_softmax(logits[0], -1);
            for (var i = 1; i < block.Length; i++, count++)
                sum -= logProbabilities[i - 1, block[i]].item<float>();
        }

        Assert.Equal(sum / count, metrics.Loss, 1e-5);
        Assert.Equal(count, metrics.TokenCount);
        Assert.Equal(texts.Sum(System.Text.Encoding.UTF8.GetByteCount), metrics.ByteCount);
        Assert.Equal(Math.Exp(metrics.Loss), metrics.Perplexity, 1e-9);
        Assert.Equal(sum / Math.Log(2) / metrics.ByteCount, metrics.BitsPerByte, 1e-5);
    }

    [Fact]
    public void The_generator_is_found_in_nested_chains_and_the_transformers_before_it_run()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(6));
        var inner = _ml.Transforms.CopyColumns("Copy", "Text").Append(_ml.Transforms.Text.FineTuneTextGenerator(
            "Out", "Opening", "Copy", TextGeneratorPipelineTests.Tiny(o => o.Training = o.Training with { MaximumSteps = 10 })))
                .Append(_ml.Transforms.CopyColumns("Again", "Out"));
        var chain = _ml.Transforms.CopyColumns("Unused", "Number").Append(inner).Fit(data);
        using var untrained = _ml.Generation.LoadPretrained(TestData.TinyModel);

        var metrics = _ml.Generation.Evaluate(chain, data);

        Assert.True(metrics.Loss < _ml.Generation.Evaluate(untrained, data, "Text").Loss - 1);
        Assert.Equal(metrics, _ml.Generation.Evaluate(chain, data, "Text"));
        var exception =
            Assert.Throws<ArgumentException>(() => _ml.Generation.Evaluate(_ml.Transforms.CopyColumns("A", "Text").Fit(data), data));
        Assert.Contains("no text generator", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'Missing'", Assert.Throws<ArgumentException>(() => _ml.Generation.Evaluate(chain, data, "Missing")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_saved_folder_is_loaded_again()
    {
        using var folder = new TemporaryFolder();
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(6));
        using var fitted = _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny()).Fit(data);

        _ml.Generation.SaveModelFolder(fitted, folder["model"]);
        _ml.Generation.SaveModelFolder(fitted, folder["model"], WeightType.Float16); // a model may be replaced

        using var loaded = _ml.Generation.LoadPretrained(folder["model"]);
        Assert.Equal(_ml.Generation.Evaluate(fitted, data).Loss, _ml.Generation.Evaluate(loaded, data, "Text").Loss, 1e-2);
        Assert.Contains("\"float16\"", File.ReadAllText(folder["model/config.json"]), StringComparison.Ordinal);
        File.WriteAllText(folder["precious.txt"], "");
        Assert.Contains("not empty", Assert.Throws<IOException>(() => _ml.Generation.SaveModelFolder(fitted, folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_embedded_model_writes_English_and_streams_the_same_text()
    {
        using var model = _ml.Generation.LoadPretrained();
        var options = new Torch.Generation.GenerationOptions { MaximumNewTokens = 12 };

        var text = model.Generate("Once upon a time there was", options);

        var pieces = new List<string>();
        await foreach (var piece in model.StreamAsync("Once upon a time there was", options, TestContext.Current.CancellationToken))
            pieces.Add(piece);
        Assert.Equal(text, string.Concat(pieces));
        Assert.Contains(" the ", text + " ", StringComparison.Ordinal);
    }
}
