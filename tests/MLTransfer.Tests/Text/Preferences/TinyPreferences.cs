using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Preferences;

namespace MLTransfer.Tests.Text.Preferences;

/// <summary>Rows of preferences: of each question the short answer is preferred.</summary>
internal static class TinyPreferences
{
    public static IReadOnlyList<PreferenceRow> Rows(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new PreferenceRow
        {
            Prompt = $"The old man saw planet {i} and said",
            Chosen = " that it was red.",
            Rejected = $" nothing at all of the {i} things that he had seen, for he was tired.",
        }),
    ];

    /// <summary>The same as ranked texts: both of a prompt, the worse one first of every second.</summary>
    public static IReadOnlyList<RankedRow> Ranked(int count) =>
    [
        .. Rows(count).SelectMany((row, i) =>
        {
            RankedRow[] both =
            [
                new() { Prompt = row.Prompt, Answer = row.Chosen, Stars = 5, IsGood = true },
                new() { Prompt = row.Prompt, Answer = row.Rejected, Stars = 2 },
            ];
            return i % 2 == 0 ? both : both.Reverse();
        }),
    ];

    public static TextPreferenceOptions Options(Action<TextPreferenceOptions>? change = null)
    {
        var options = new TextPreferenceOptions
        {
            PretrainedModel = TestData.TinyModel,
            Lora = new LoraOptions { Rank = 4, Alpha = 8 },
            Training = new PreferenceTrainingOptions
            {
                MaximumSteps = 6, BatchSize = 4, LearningRate = 5e-3, Precision = Precision.Float32,
            },
            Generation = new GenerationOptions { MaximumNewTokens = 5 },
        };
        change?.Invoke(options);
        return options;
    }
}

internal sealed class PreferenceRow
{
    public string Prompt { get; set; } = "";

    public string Chosen { get; set; } = "";

    public string Rejected { get; set; } = "";
}

internal sealed class RankedRow
{
    public string Prompt { get; set; } = "";

    public string Answer { get; set; } = "";

    public float Stars { get; set; }

    public bool IsGood { get; set; }
}
