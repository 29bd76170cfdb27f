using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

public static partial class AudioCatalogExtensions
{
    /// <summary>
    /// Fine-tunes a pretrained audio generator, a MusicGen or a VITS, which then makes a sound for each row. Which it is says the
    /// <c>config.json</c> of <see cref="AudioGeneratorOptions.PretrainedModel"/>.
    /// </summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the sounds that are made.</param>
    /// <param name="inputColumnName">
    /// What sounds are made from: a text column of captions, or of what a VITS is to say, or a column of sounds that music goes on from
    /// (what is made begins with them). Training reads the same texts, unless
    /// <see cref="GenerateAudioOptions.CaptionColumnName"/> or <see cref="GenerateAudioOptions.PhonemeColumnName"/> names others. Null for
    /// those, or for music from nothing.
    /// </param>
    /// <param name="trainingColumnName">
    /// The column of sounds (<c>LoadAudio</c>, <c>ResampleAudio</c>) that the generator learns to make.
    /// </param>
    /// <param name="options">What to train, how, and how to generate.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static AudioGeneratorEstimator FineTuneAudioGenerator(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string trainingColumnName,
        AudioGeneratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        OptionCheck.ColumnName(nameof(inputColumnName), inputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(trainingColumnName);
        ArgumentNullException.ThrowIfNull(options);
        return new AudioGeneratorEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, trainingColumnName, options);
    }

    /// <summary>Makes a sound for each row with a pretrained MusicGen or VITS as it is.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the sounds.</param>
    /// <param name="inputColumnName">
    /// What sounds are made from: a text column of captions, or of what a VITS is to say, or a column of sounds that music goes on from
    /// (what is made begins with them). Null for <see cref="GenerateAudioOptions.CaptionColumnName"/> or
    /// <see cref="GenerateAudioOptions.PhonemeColumnName"/>, or for music from nothing.
    /// </param>
    /// <param name="model">A folder in Hugging Face layout, a hub id, or a model zip with an audio generator.</param>
    /// <param name="options">How to generate; null for defaults.</param>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    public static PretrainedAudioGeneratorEstimator GenerateAudio(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string model,
        GenerateAudioOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        OptionCheck.ColumnName(nameof(inputColumnName), inputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        return new PretrainedAudioGeneratorEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, model, options ?? new GenerateAudioOptions());
    }
}
