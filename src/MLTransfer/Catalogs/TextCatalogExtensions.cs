using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>Text generators in <c>mlContext.Transforms.Text</c>.</summary>
public static partial class TextCatalogExtensions
{
    /// <summary>Fine-tunes a pretrained text generator, which then continues the prompts of a column.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the generated text, without the prompt.</param>
    /// <param name="inputColumnName">The text column with the prompts; null for <paramref name="outputColumnName"/>.</param>
    /// <param name="trainingColumnName">
    /// The text column that the model learns to write; null for the input column itself. For the other form of training, on prompts with
    /// their completions, leave it null and name <see cref="TextGeneratorOptions.CompletionColumnName"/>.
    /// </param>
    /// <param name="options">How to train and to generate; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static TextGeneratorEstimator FineTuneTextGenerator(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName = null,
        string? trainingColumnName = null,
        TextGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new TextGeneratorEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, trainingColumnName,
            options ?? new TextGeneratorOptions());
    }

    /// <summary>Fine-tunes a loaded text generator, which stays as it is: its weights are copied.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the generated text, without the prompt.</param>
    /// <param name="inputColumnName">The text column with the prompts; null for <paramref name="outputColumnName"/>.</param>
    /// <param name="trainingColumnName">
    /// The text column that the model learns to write; null for the input column itself, or for training on completions.
    /// </param>
    /// <param name="baseModel">
    /// What training starts from. It must live until <c>Fit</c> has begun to train. Its adapters are as those of
    /// <see cref="TextTuningOptions.BaseModel"/>.
    /// </param>
    /// <param name="options">How to train and to generate, naming no other base; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static TextGeneratorEstimator FineTuneTextGenerator(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName,
        string? trainingColumnName,
        TextGenerationModel baseModel,
        TextGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(baseModel);
        return new TextGeneratorEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, trainingColumnName,
            options ?? new TextGeneratorOptions(), baseModel);
    }

    /// <summary>Continues the prompts of a column with a pretrained model as it is.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the generated text, without the prompt.</param>
    /// <param name="inputColumnName">The text column with the prompts; null for <paramref name="outputColumnName"/>.</param>
    /// <param name="model">
    /// <see cref="PretrainedModels.Tales"/>, a folder in Hugging Face layout, a hub id such as <c>gpt2</c>, or a model zip with a text
    /// generator, whose adapters become part of its weights.
    /// </param>
    /// <param name="options">How to generate; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static PretrainedTextGeneratorEstimator GenerateText(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName = null,
        string model = PretrainedModels.Tales,
        GenerateTextOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        return new PretrainedTextGeneratorEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, model, null, options ?? new GenerateTextOptions());
    }

    /// <summary>Continues the prompts of a column with a loaded model, which several transformers may share.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the generated text, without the prompt.</param>
    /// <param name="inputColumnName">The text column with the prompts; null for <paramref name="outputColumnName"/>.</param>
    /// <param name="model">The model. Transformers do not dispose it.</param>
    /// <param name="options">How to generate; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static PretrainedTextGeneratorEstimator GenerateText(
        this TransformsCatalog.TextTransforms catalog,
        string outputColumnName,
        string? inputColumnName,
        TextGenerationModel model,
        GenerateTextOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        return new PretrainedTextGeneratorEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, null, model, options ?? new GenerateTextOptions());
    }
}
