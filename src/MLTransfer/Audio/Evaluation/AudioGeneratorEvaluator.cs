using MLTransfer.Audio.Generators;
using MLTransfer.Torch.Metrics;
using Microsoft.ML;

namespace MLTransfer.Audio.Evaluation;

/// <summary>Measures a generator: how well it predicts the codes of real sounds, and how far from them those are that it makes.</summary>
internal static class AudioGeneratorEvaluator
{
    /// <param name="generator">The generator.</param>
    /// <param name="data">What it is given, with real sounds.</param>
    /// <param name="soundColumn">The column of real sounds.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="progress">Told after every pair; null for nobody.</param>
    /// <param name="cancellationToken">Checked before every sound.</param>
    /// <exception cref="ArgumentException">There are no rows, a column is missing, or sounds cannot be compared.</exception>
    public static AudioMetrics Evaluate(
        IAudioEvaluation generator, IDataView data, string soundColumn, AudioEvaluationOptions options,
        IProgress<AudioEvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        var model = generator.Model;
        using var hold = model.Hold();
        var music = model as MusicGenerationModel;
        if (music is null && !options.CompareGenerated)
        {
            throw new ArgumentException(
                $"{nameof(options.CompareGenerated)} is off, which leaves the loss of codes; the model is {model.Kind}, which has none.");
        }

        var codes = music is null ? null : generator.EvaluateCodes(data, soundColumn, cancellationToken);
        if (!options.CompareGenerated)
            return new(generator.ReadSounds(data, soundColumn, cancellationToken).Count()) { Codes = codes };
        var extractor = options.FeatureExtractor ?? (music is null ? null : new CodecFeatureExtractor(music.Network.Codec));
        using var comparer = new SoundComparer(options, extractor, options.CompareSpeech ?? music is null);
        var pairs = generator.ReadSounds(data, soundColumn, cancellationToken).Zip(generator.GenerateSounds(data, cancellationToken));
        foreach (var (real, generated) in pairs)
        {
            try
            {
                comparer.Add(real, generated);
            }
            catch (ArgumentException exception)
            {
                throw new ArgumentException(
                    $"Row {comparer.Count} (from 0), column '{soundColumn}': {exception.Message}", nameof(data), exception);
            }

            progress?.Report(new(comparer.Count));
        }

        return comparer.ToMetrics() with { Codes = codes };
    }
}
