using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>Image generators in <c>mlContext.Transforms</c>.</summary>
public static class ImageCatalogExtensions
{
    /// <summary>
    /// Fine-tunes a pretrained image generator, which then makes a picture for each row: of a seed, latent vector or label where it is a
    /// StyleGAN2; of a caption, or of a picture that it completes or varies, where it is a DALL-E or a DALL-E mini.
    /// </summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the pictures.</param>
    /// <param name="inputColumnName">
    /// The column that pictures are made from: a whole number, the seed, or a vector of Single, its latent vector (z, w or W+, see
    /// <see cref="GenerateImagesOptions.LatentSpace"/>). Null to make them from the labels of
    /// <see cref="GenerateImagesOptions.LabelColumnName"/> alone, each with a latent vector drawn for its row. Of a network that writes
    /// codes: captions, or images; null to make pictures of <see cref="GenerateImagesOptions.CaptionColumnName"/> alone.
    /// </param>
    /// <param name="trainingColumnName">
    /// The column of images (<c>LoadImages</c>, <c>ResizeImages</c>) that the generator learns to make.
    /// </param>
    /// <param name="options">How to train and to generate; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static ImageGeneratorEstimator FineTuneImageGenerator(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string trainingColumnName,
        ImageGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        OptionCheck.ColumnName(nameof(inputColumnName), inputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(trainingColumnName);
        return new ImageGeneratorEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, trainingColumnName,
            options ?? new ImageGeneratorOptions());
    }

    /// <summary>
    /// Makes a picture for each row with a pretrained model as it is: of a seed, latent vector or label where that is a StyleGAN2; of a
    /// caption, or of a picture that is completed or varied, where it is a DALL-E or a DALL-E mini.
    /// </summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the pictures.</param>
    /// <param name="inputColumnName">
    /// The column that pictures are made from: a whole number, the seed, or a vector of Single, its latent vector (z, w or W+, see
    /// <see cref="GenerateImagesOptions.LatentSpace"/>). Null to make them from the labels of
    /// <see cref="GenerateImagesOptions.LabelColumnName"/> alone, each with a latent vector drawn for its row. Of a network that writes
    /// codes: captions, or images; null to make pictures of <see cref="GenerateImagesOptions.CaptionColumnName"/> alone.
    /// </param>
    /// <param name="model">
    /// <see cref="PretrainedModels.Shapes"/>, a folder with <c>config.json</c>, <c>generator.safetensors</c> and
    /// <c>discriminator.safetensors</c>, the folder or hub id of a DALL-E or a DALL-E mini, or a model zip with an image generator.
    /// </param>
    /// <param name="options">How to generate; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static PretrainedImageGeneratorEstimator GenerateImages(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string model = PretrainedModels.Shapes,
        GenerateImagesOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        OptionCheck.ColumnName(nameof(inputColumnName), inputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        return new PretrainedImageGeneratorEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, model, options ?? new GenerateImagesOptions());
    }

    /// <summary>
    /// Finds for each picture the latent vector from which an image generator makes it; <see cref="GenerateImages"/> draws from the
    /// vectors.
    /// </summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">
    /// The column for the latent vectors: vectors of Single, w or W+ by <see cref="ProjectImagesOptions.Projection"/>.
    /// </param>
    /// <param name="inputColumnName">The column of images (<c>LoadImages</c>, <c>ResizeImages</c>), of the generator's size.</param>
    /// <param name="options">Which generator, and how; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static ImageProjectionEstimator ProjectImages(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName, ProjectImagesOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(inputColumnName);
        return new ImageProjectionEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, options ?? new ProjectImagesOptions());
    }
}
