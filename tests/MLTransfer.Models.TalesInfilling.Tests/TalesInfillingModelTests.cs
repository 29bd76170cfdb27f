using System.Globalization;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Models.Tests;

public class TalesInfillingModelTests
{
    private const long MostBytes = 6_000_000;

    [Fact]
    public void Folder_holds_a_model_and_nothing_else()
    {
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "models", "tales-infilling"), TalesInfillingModel.Folder);
        Assert.Equal(
            ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"],
            Directory.EnumerateFiles(TalesInfillingModel.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.InRange(Directory.EnumerateFiles(TalesInfillingModel.Folder).Sum(file => new FileInfo(file).Length), 1, MostBytes);
    }

    [Fact]
    public void Missing_folder_is_reported_with_its_path()
    {
        string application = Path.Combine(Path.GetTempPath(), "application-without-models");

        var exception = Assert.Throws<DirectoryNotFoundException>(() => TalesInfillingModel.FindIn(application));

        Assert.Contains(Path.Combine(application, "models", "tales-infilling"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_float16_and_as_many_as_the_model_card_says()
    {
        using var weights = SafetensorsFile.Open(Path.Combine(TalesInfillingModel.Folder, "model.safetensors"));
        using var model = TransformerNetwork.Load(TalesInfillingModel.Folder);

        Assert.All(weights.Tensors.Values, tensor => Assert.Equal(ScalarType.Float16, tensor.DataType));
        var parameters = model.parameters().Sum(parameter => parameter.numel());
        Assert.Contains($"{parameters.ToString("N0", CultureInfo.InvariantCulture)}, stored as float16",
            File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src", "MLTransfer.Models.TalesInfilling", "MODEL_CARD.md")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Once upon a [MASK] there was a king.", "time")]
    [InlineData("He opened the [MASK] and went out of the house.", "door")]
    [InlineData("She looked at him with tears in her [MASK].", "eyes")]
    public void Words_that_a_reader_expects_are_among_the_best_candidates(string text, string word)
    {
        using var model = (MaskedLanguageModel)TransformerNetwork.Load(TalesInfillingModel.Folder);
        var infiller = new TextInfiller(model, TextTokenizer.Load(TalesInfillingModel.Folder));

        var filled = infiller.Infill([text], new InfillingOptions { CandidateCount = 5 }, TestContext.Current.CancellationToken);

        Assert.Contains(filled[0].Masks[0].Candidates, candidate => candidate.Text == word);
    }
}
