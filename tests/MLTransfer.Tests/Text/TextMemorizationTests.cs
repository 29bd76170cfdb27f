using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Text;

public sealed class TextMemorizationTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly IReadOnlyList<Story> _stories = [new Story { Text = "" }, .. TestData.Stories(4)];

    [Fact]
    public void An_overfitted_model_is_found_to_copy_and_an_untrained_one_is_not()
    {
        var data = _ml.Data.LoadFromEnumerable(_stories);
        using var overfitted = Fit(new()
        {
            NumberOfEpochs = 80, LearningRate = 1e-2, BatchSize = 4, KeepBestModel = false,
            Precision = Precision.Float32,
        });
        using var untrained = Fit(new() { MaximumSteps = 1, LearningRate = 0 });

        var copied = _ml.Generation.EvaluateMemorization(overfitted, data);
        var none = _ml.Generation.EvaluateMemorization(untrained, data);

        Assert.Equal((13, 4), (copied.NgramLength, copied.TextCount));
        Assert.True(copied.CopiedShare > 0.5, $"{copied.CopiedShare}");
        Assert.Equal(copied.Examples[0].TokenCount, copied.LongestSpan);
        Assert.True(copied.LongestSpan >= 13);
        Assert.Equal(copied.Examples.OrderByDescending(example => example.TokenCount), copied.Examples);
        Assert.All(copied.Examples, example =>
        {
            Assert.InRange(example.Row, 1, 4); // row 0 has no text
            Assert.Contains(example.Text, _stories[(int)example.Row].Text!, StringComparison.Ordinal);
            Assert.Contains(_stories, story => story.Text!.StartsWith(example.Prompt, StringComparison.Ordinal));
        });
        Assert.Equal((0, 0), (none.CopiedNgramCount, none.LongestSpan));
        Assert.Empty(none.Examples);
        Assert.Equal(4 * (40 - 13 + 1), none.NgramCount);

        // The user's own prompts, and a column of them.
        var prompts = new TextMemorizationOptions { Prompts = ["Story 1: the old man"], ExampleCount = 1, NgramLength = 8 };
        var asked = _ml.Generation.EvaluateMemorization(overfitted, data, prompts);
        Assert.Equal("Story 1: the old man", Assert.Single(asked.Examples).Prompt);
        var column = _ml.Generation.EvaluateMemorization(overfitted, data, new() { PromptColumnName = "Opening" });
        Assert.Equal(4, column.TextCount);

        TextGeneratorTransformer Fit(LanguageTrainingOptions training) =>
            _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", new TextGeneratorOptions
            {
                PretrainedModel = TestData.TinyModel, Training = training, ValidationFraction = 0,
                Generation = new() { MaximumNewTokens = 40, EndOfSequenceIds = [] },
            }).Fit(data);
    }

    [Fact]
    public void What_cannot_be_measured_is_refused_by_name()
    {
        var data = _ml.Data.LoadFromEnumerable(_stories);
        using var model = _ml.Transforms.Text.GenerateText(
            "Continuation", "Text", TestData.TinyModel, new() { Generation = new() { MaximumNewTokens = 20 } }).Fit(data);
        Assert.Contains("NgramLength is 50, but at most 20", Message(new() { NgramLength = 50 }));
        Assert.Contains("Prompts", Message(new() { Prompts = [] }));
        Assert.Contains("PromptCount", Message(new() { PromptCount = 0 }));
        Assert.Contains("'Nowhere'", Message(new() { TextColumnName = "Nowhere" }));
        var empty = _ml.Data.LoadFromEnumerable(_stories.Take(1));
        Assert.Contains("no row of column 'Text' has a text", Assert.Throws<ArgumentException>(
            () => _ml.Generation.EvaluateMemorization(model, empty)).Message);

        string Message(TextMemorizationOptions options) =>
            Assert.ThrowsAny<ArgumentException>(() => _ml.Generation.EvaluateMemorization(model, data, options)).Message;
    }
}
