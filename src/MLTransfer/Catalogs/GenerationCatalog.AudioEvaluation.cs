using System.Globalization;
using MLTransfer.Audio.Evaluation;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

public sealed partial class GenerationCatalog
{
    /// <summary>Measures how far generated sounds are from real ones, whatever made them.</summary>
    /// <param name="data">Rows with a real and a generated sound.</param>
    /// <param name="realColumnName">The column of real sounds.</param>
    /// <param name="generatedColumnName">The column of generated ones.</param>
    /// <param name="options">What is measured; null for cepstra and pitches of the pairs.</param>
    /// <param name="progress">Told after every row; null for nobody.</param>
    /// <param name="cancellationToken">Checked before every row.</param>
    /// <remarks>
    /// Rows are read one after another, and sounds are not kept. Features are: their memory is four bytes for each of their numbers.
    /// Silence is a sound as others: it has no pitch.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// An option is not usable, a column is missing or of another type, there are no rows or, for distances over features, too few, or a
    /// sound is missing, too short or has samples that are no finite numbers; the message names the row.
    /// </exception>
    public AudioMetrics EvaluateAudio(
        IDataView data, string realColumnName, string generatedColumnName, AudioEvaluationOptions? options = null,
        IProgress<AudioEvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(realColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(generatedColumnName);
        options ??= new();
        options.Check();
        return EvaluateAudio(() =>
        {
            using var comparer = new SoundComparer(options, options.FeatureExtractor, options.CompareSpeech ?? true);
            SoundPairs.Read(
                data, SoundPairs.Role("real", realColumnName), SoundPairs.Role("generated", generatedColumnName),
                (real, generated) =>
                {
                    comparer.Add(real, generated);
                    progress?.Report(new(comparer.Count));
                },
                cancellationToken);
            return comparer.ToMetrics();
        });
    }

    private AudioMetrics EvaluateAudio(Func<AudioMetrics> evaluate)
    {
        using var channel = _host.Start("Evaluating sounds");
        var metrics = evaluate();
        var messages = new List<FormattableString>();
        if (metrics.Codes is { } codes)
            messages.Add($"Loss of codes {codes.Loss:0.0000}, perplexity {codes.Perplexity:0.00}.");
        if (metrics.FrechetDistance is { } distance)
            messages.Add($"Frechet distance {distance:G4}, kernel distance {metrics.KernelDistance:G4}, over {metrics.SoundCount} sounds.");
        if (metrics.Speech is { } speech)
        {
            messages.Add($"Mel-cepstral distortion {speech.CepstralDistortion:0.00} dB.");
            messages.Add($"Mean pitch {speech.GeneratedPitch.MeanFrequency:0} Hz, of real sounds {speech.RealPitch.MeanFrequency:0} Hz.");
        }

        if (metrics.Reconstruction is { } decoded)
            messages.Add($"Signal-to-noise ratio {decoded.SignalToNoiseRatio:0.00} dB, mel distance {decoded.MelDistance:0.000}.");
        foreach (var message in messages)
            channel.Info(message.ToString(CultureInfo.InvariantCulture));
        return metrics;
    }
}
