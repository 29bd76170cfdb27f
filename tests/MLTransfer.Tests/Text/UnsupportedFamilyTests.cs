using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>A folder whose network writes no texts is refused for that, whatever else it lacks.</summary>
public sealed class UnsupportedFamilyTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""{ "model_type": "mamba" }""")]
    [InlineData("""{ "architectures": ["MambaForCausalLM"] }""")]
    public void A_family_that_is_not_supported_is_named_before_a_missing_tokenizer(string configuration)
    {
        File.WriteAllText(_folder["config.json"], configuration);

        Assert.All(Loads(), load =>
        {
            var message = Assert.Throws<NotSupportedException>(load).Message;
            Assert.Contains(_folder.Path, message, StringComparison.Ordinal);
            Assert.Contains(
                configuration.Contains("model_type", StringComparison.Ordinal) ? "'mamba'" : "''", message, StringComparison.Ordinal);
            Assert.Contains("Supported: gpt2, gpt_neo,", message, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("bert-tiny", "MaskedLanguageModel (bert)")]
    [InlineData("t5-encoder-tiny", "MaskedLanguageModel (t5)")]
    [InlineData("musicgen-decoder-tiny", "CausalLanguageModel that looks at another model's encoder (musicgen_decoder)")]
    [InlineData("min-dalle-tiny", "EncoderDecoderModel that reads other tokens than it writes (dallebart)")]
    public void A_family_that_writes_no_texts_is_named_before_a_missing_tokenizer(string folder, string kind)
    {
        var reference = Path.Combine(RepositoryFiles.Data("families"), folder, "config.json");
        File.Copy(reference, _folder["config.json"]);

        Assert.All(Loads(), load =>
        {
            var message = Assert.Throws<NotSupportedException>(load).Message;
            Assert.Contains(kind, message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_family_that_is_supported_still_needs_a_tokenizer()
    {
        File.Copy(Path.Combine(TestData.TinyModel, "config.json"), _folder["config.json"]);

        Assert.All(Loads(), load => Assert.Contains(
            "tokenizer.json", Assert.Throws<FileNotFoundException>(load).Message, StringComparison.Ordinal));
    }

    private IReadOnlyList<Action> Loads()
    {
        var rows = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        return
        [
            () => _ml.Generation.LoadPretrained(_folder.Path),
            () => _ml.Transforms.Text.GenerateText("Continuation", "Opening", _folder.Path).Fit(rows),
            () => _ml.Transforms.Text.FineTuneTextGenerator(
                "Continuation", "Opening", "Text", new TextGeneratorOptions { PretrainedModel = _folder.Path }).Fit(rows),
        ];
    }
}
