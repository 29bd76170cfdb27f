using Microsoft.ML;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Tests.Text.Infilling;

internal sealed class MaskedRow
{
    public string? Opening { get; set; }

    public string? Text { get; set; }

    public float Number { get; set; }
}

internal sealed class FilledRow
{
    public string? Filled { get; set; }

    public float[]? Scores { get; set; }
}

/// <summary>Texts and tiny masked models for tests.</summary>
internal static class TinyTexts
{
    public static TheoryData<string> Folders => ["bert-tiny", "distilbert-tiny", "roberta-tiny"];

    public static string PathOf(string folder) => RepositoryFiles.Data($"families/{folder}");

    public static IReadOnlyList<MaskedRow> Rows { get; } =
    [
        .. Enumerable.Range(0, 6).Select(i => new MaskedRow
        {
            Opening = $"The warriors of {i} were [MASK] upon the [MASK].",
            Text = $"The warriors of {i} were ready upon the hills, and the chief was there.",
            Number = i,
        }),
        new MaskedRow { Opening = "Nothing is hidden here", Text = "It was all Greek to me.", Number = 6 },
        new MaskedRow { Opening = "", Text = "", Number = 7 },
    ];

    public static IDataView Data(MLContext ml) => ml.Data.LoadFromEnumerable(Rows);

    public static TextInfillerOptions Options(string folder, Action<TextInfillerOptions>? change = null)
    {
        var options = new TextInfillerOptions
        {
            PretrainedModel = PathOf(folder),
            Training = new LanguageTrainingOptions
            {
                MaximumSteps = 40, BatchSize = 2, LearningRate = 1e-2, Precision = Precision.Float32,
            },
            Masking = new MaskingOptions { WholeWords = true },
            Infilling = new InfillingOptions { CandidateCount = 3 },
            LogProbabilitiesColumnName = "Scores",
        };
        change?.Invoke(options);
        return options;
    }
}
