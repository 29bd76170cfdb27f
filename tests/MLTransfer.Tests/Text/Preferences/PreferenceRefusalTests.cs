using MLTransfer.Torch.Training.Preferences;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Text.Preferences;

/// <summary>What is not usable for tuning by preferences is refused by name, before a row is read.</summary>
public sealed class PreferenceRefusalTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Columns_are_those_of_one_of_two_ways()
    {
        foreach (var (chosen, rejected, ranked, score) in ((string?, string?, string?, string?)[])
        [
            (null, null, null, null), ("Chosen", null, null, null), (null, null, "Answer", null), (null, null, null, "Stars"),
            ("Chosen", "Rejected", "Answer", "Stars"),
        ])
        {
            Assert.Contains("RankedColumnName with ScoreColumnName", Assert.Throws<ArgumentException>(
                () => Tune(chosen, rejected, options => (options.RankedColumnName, options.ScoreColumnName) = (ranked, score))).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Columns_and_options_are_checked_before_a_row_is_read()
    {
        var data = new CountingDataView(_ml.Data.LoadFromEnumerable(TinyPreferences.Ranked(3)));
        Assert.Contains("chosen column 'Better'", Message(() => Tune("Better", "Prompt").Fit(data)), StringComparison.Ordinal);
        Assert.Contains("rejected column 'Stars'", Message(() => Tune("Answer", "Stars").Fit(data)), StringComparison.Ordinal);
        Assert.Contains("score column 'Prompt'", Message(() => Tune(null, null, options =>
            (options.RankedColumnName, options.ScoreColumnName) = ("Answer", "Prompt")).Fit(data)), StringComparison.Ordinal);
        Assert.Contains(nameof(TextColumnsOptions.ChatColumnName), Message(() => Tune(
            "Answer", "Answer", options => options.ChatColumnName = "Chats")), StringComparison.Ordinal);
        Assert.Contains("Training.Seed is 3", Message(() => Tune(
            "Answer", "Answer", options => options.Training = new() { Seed = 3 })), StringComparison.Ordinal);
        Assert.Contains(nameof(TextPreferenceOptions.MaximumLength), Message(() => Tune(
            "Answer", "Prompt", options => options.MaximumLength = 65).Fit(data)), StringComparison.Ordinal);
        Assert.Equal(0, data.RowsRead);
    }

    [Fact]
    public void Training_of_pairs_is_no_training_of_texts()
    {
        string[] messages =
        [
            Message(() => _ml.Transforms.Text.FineTuneTextGenerator(
                "Out", "Text", options: new TextGeneratorOptions { Training = new PreferenceTrainingOptions() })),
            Message(() => _ml.Transforms.Text.FineTuneTextInfiller(
                "Out", "Text", options: new TextInfillerOptions { Training = new PreferenceTrainingOptions() })),
        ];
        Assert.All(messages, message => Assert.Contains("TunePreferences", message, StringComparison.Ordinal));
    }

    [Fact]
    public void Data_without_a_pair_has_nothing_to_train_on_or_to_measure()
    {
        var equal = _ml.Data.LoadFromEnumerable(TinyPreferences.Ranked(2).Select(row => new RankedRow
        {
            Prompt = row.Prompt, Answer = row.Answer, Stars = 3,
        }));
        Assert.Contains("no pair of texts", Message(() => Tune(null, null, options =>
            (options.RankedColumnName, options.ScoreColumnName) = ("Answer", "Stars")).Fit(equal)), StringComparison.Ordinal);
        using var model = _ml.Generation.LoadPretrained(TestData.TinyModel);
        Assert.Contains("no pair of texts", Message(() => _ml.Generation.EvaluatePreferences(model, equal, model, new()
        {
            PromptColumnName = "Prompt", RankedColumnName = "Answer", ScoreColumnName = "Stars",
        })), StringComparison.Ordinal);
        Assert.Contains(nameof(PreferenceEvaluationOptions.PromptColumnName), Message(
            () => _ml.Generation.EvaluatePreferences(model, equal, model, new())), StringComparison.Ordinal);
        Assert.Contains(nameof(PreferenceEvaluationOptions.ChosenColumnName), Message(() => _ml.Generation.EvaluatePreferences(
            _ml.Transforms.Text.GenerateText("Out", "Prompt", model).Fit(equal), equal, model)), StringComparison.Ordinal);
        var longPrompts = _ml.Data.LoadFromEnumerable(TinyPreferences.Rows(3));
        Assert.Contains("no pair of texts", Message(() => _ml.Transforms.Text.TunePreferences(
            "Out", "Prompt", "Chosen", "Rejected", TinyPreferences.Options(options => options.MaximumLength = 4)).Fit(longPrompts)),
            StringComparison.Ordinal);
    }

    private TextPreferenceEstimator Tune(string? chosen, string? rejected, Action<TextPreferenceOptions>? change = null) =>
        _ml.Transforms.Text.TunePreferences("Out", "Prompt", chosen, rejected, TinyPreferences.Options(change));

    private static string Message(Func<object> call) => Assert.ThrowsAny<ArgumentException>(call).Message;
}
