using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <content>Models that fill masks.</content>
public static partial class TextCatalogExtensions
{
    /// <summary>Fine-tunes a pretrained model that fills masks, which then fills those in the texts of a column.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the filled text.</param>
    /// <param name="inputColumnName">
    /// The text column with masks (<c>[MASK]</c>, or the tokenizer's own); null for <paramref name="outputColumnName"/>.
    /// </param>
    /// <param name="trainingColumnName">The column of texts, without masks, that the model learns; null for the input column
    /// itself.</param>
    /// <param name="options">How to train and to fill; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static TextInfillerEstimator FineTuneTextInfiller(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName = null,
        string? trainingColumnName = null,
        TextInfillerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new TextInfillerEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, trainingColumnName,
            options ?? new TextInfillerOptions());
    }

    /// <summary>Fine-tunes a loaded model that fills masks, which stays as it is: its weights are copied.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the filled text.</param>
    /// <param name="inputColumnName">
    /// The text column with masks (<c>[MASK]</c>, or the tokenizer's own); null for <paramref name="outputColumnName"/>.
    /// </param>
    /// <param name="trainingColumnName">The column of texts, without masks, that the model learns; null for the input column
    /// itself.</param>
    /// <param name="baseModel">
    /// What training starts from. It must live until <c>Fit</c> has begun to train. Its adapters are as those of
    /// <see cref="TextInfillerOptions.BaseModel"/>.
    /// </param>
    /// <param name="options">How to train and to fill, naming no other base; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static TextInfillerEstimator FineTuneTextInfiller(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName,
        string? trainingColumnName,
        TextInfillingModel baseModel,
        TextInfillerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(baseModel);
        return new TextInfillerEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, trainingColumnName,
            options ?? new TextInfillerOptions(), baseModel);
    }

    /// <summary>Fills the masks in the texts of a column with a pretrained model as it is.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the filled text.</param>
    /// <param name="inputColumnName">
    /// The text column with masks (<c>[MASK]</c>, or the tokenizer's own); null for <paramref name="outputColumnName"/>.
    /// </param>
    /// <param name="model">
    /// <see cref="PretrainedModels.TalesInfilling"/>, a folder in Hugging Face layout, a hub id such as <c>bert-base-uncased</c>, or a
    /// model
    /// zip with a text infiller, whose adapters become part of its weights.
    /// </param>
    /// <param name="options">How to fill; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static PretrainedTextInfillerEstimator InfillText(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName = null,
        string model = PretrainedModels.TalesInfilling,
        InfillTextOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        return new PretrainedTextInfillerEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, model, null, options ?? new InfillTextOptions());
    }

    /// <summary>Fills the masks in the texts of a column with a loaded model, which several transformers may share.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the filled text.</param>
    /// <param name="inputColumnName">
    /// The text column with masks (<c>[MASK]</c>, or the tokenizer's own); null for <paramref name="outputColumnName"/>.
    /// </param>
    /// <param name="model">The model. Transformers do not dispose it.</param>
    /// <param name="options">How to fill; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static PretrainedTextInfillerEstimator InfillText(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName,
        TextInfillingModel model,
        InfillTextOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        return new PretrainedTextInfillerEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, null, model, options ?? new InfillTextOptions());
    }
}
