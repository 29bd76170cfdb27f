using MLTransfer;
using MLTransfer.Experiments;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;

namespace TuneDefaults;

/// <summary>Tries a recipe on every text; its loss is the mean of those on the validation parts, and is reported after each text.</summary>
internal sealed class RecipeRunner(MLContext ml, IReadOnlyList<CorpusText> texts, SearchSpace<TextRecipe> space) : ITrialRunner
{
    public const string ParameterName = "recipe";

    private const int RowLength = 256;

    public Task<TrialResult> RunAsync(TrialSettings settings, CancellationToken ct)
    {
        var recipe = space.ToOption(settings.Parameter[ParameterName]);
        double mean = 0;
        foreach (var (number, text) in texts.Index())
        {
            mean += (Losses(recipe.Training, recipe.Dropout, text, ct).Validation - mean) / (number + 1);
            if (!settings.Report(number + 1, mean))
                break;
        }

        return Task.FromResult(new TrialResult { TrialSettings = settings, Loss = mean, Metric = mean });
    }

    /// <summary>Trains on a text, and measures on its parts that were held out.</summary>
    public (double Validation, double Test) Losses(LanguageTrainingOptions training, double? dropout, CorpusText text, CancellationToken ct)
    {
        var estimator = ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Text", options: new TextGeneratorOptions
        {
            Training = training,
            Dropout = dropout,
            MaximumLength = RowLength,
            ValidationData = CorpusText.Rows(ml, text.Validation),
            CancellationToken = ct,
        });
        using var model = estimator.Fit(CorpusText.Rows(ml, text.Training));
        return (Loss(text.Validation), Loss(text.Test));

        double Loss(string[] parts) => ml.Generation.Evaluate(model, CorpusText.Rows(ml, parts), "Text", ct).Loss;
    }

    public void Dispose()
    {
    }
}
