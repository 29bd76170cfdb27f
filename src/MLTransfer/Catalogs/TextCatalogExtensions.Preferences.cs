using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <content>Tuning by preferences.</content>
public static partial class TextCatalogExtensions
{
    /// <summary>
    /// Tunes a pretrained text generator by preferences, so that it writes rather what was chosen than what was rejected; it then continues
    /// the prompts of a column.
    /// </summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the generated text, without the prompt.</param>
    /// <param name="inputColumnName">The text column with the prompts; null for <paramref name="outputColumnName"/>.</param>
    /// <param name="chosenColumnName">
    /// The text column of preferred texts, which follow the prompts as they are: they begin with a space where words are to be apart. Of
    /// chats what the assistant says. Null where texts are ranked by a score (<see cref="TextPreferenceOptions.RankedColumnName"/>).
    /// </param>
    /// <param name="rejectedColumnName">The text column of the other texts; null where texts are ranked by a score.</param>
    /// <param name="options">How to train and to generate; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static TextPreferenceEstimator TunePreferences(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName = null,
        string? chosenColumnName = null,
        string? rejectedColumnName = null,
        TextPreferenceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new TextPreferenceEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, chosenColumnName, rejectedColumnName,
            options ?? new TextPreferenceOptions());
    }

    /// <summary>Tunes a loaded text generator by preferences; it stays as it is: its weights are copied.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the generated text, without the prompt.</param>
    /// <param name="inputColumnName">The text column with the prompts; null for <paramref name="outputColumnName"/>.</param>
    /// <param name="chosenColumnName">The text column of preferred texts; null where texts are ranked by a score.</param>
    /// <param name="rejectedColumnName">The text column of the other texts; null where texts are ranked by a score.</param>
    /// <param name="baseModel">What training starts from. It must live until <c>Fit</c> has begun to train.</param>
    /// <param name="options">How to train and to generate, naming no other base; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static TextPreferenceEstimator TunePreferences(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName,
        string? chosenColumnName,
        string? rejectedColumnName,
        TextGenerationModel baseModel,
        TextPreferenceOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(baseModel);
        return new TextPreferenceEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, chosenColumnName, rejectedColumnName,
            options ?? new TextPreferenceOptions(), baseModel);
    }
}
