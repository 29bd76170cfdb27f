using System.Globalization;
using MLTransfer.Audio.Evaluation;
using MLTransfer.Audio.Generators;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
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

    /// <summary>Measures a model of sounds: how well it predicts real ones, and how far from them those are that it makes.</summary>
    /// <param name="model">An audio generator, or a chain of transformers with one.</param>
    /// <param name="data">
    /// Rows with real sounds and what the generator reads; they go through the transformers before the generator first. Of speech each row
    /// has the text of its sound.
    /// </param>
    /// <param name="soundColumnName">The column of real sounds.</param>
    /// <param name="options">What is measured; null for defaults.</param>
    /// <param name="progress">Told after every generated sound; null for nobody.</param>
    /// <param name="cancellationToken">Checked before every sound.</param>
    /// <remarks>
    /// Of a MusicGen the loss of the codes of all real sounds is measured, with their captions, and Frechet and kernel distance of as many
    /// generated ones, by default over the codec's embeddings, for each sound their mean over time. Of a VITS cepstra and pitches of what it
    /// says are compared with the recordings. Sounds are generated as the transformer generates them, one after another, and are not kept.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The model holds no audio generator, an option is not usable, a column is missing or of another type, there are no rows or, for
    /// distances over features, too few, or sounds cannot be compared; the message names the row.
    /// </exception>
    /// <exception cref="InvalidOperationException">A row's real sound is missing or not usable; the message names row and
    /// column.</exception>
    public AudioMetrics EvaluateAudio(
        ITransformer model, IDataView data, string soundColumnName, AudioEvaluationOptions? options = null,
        IProgress<AudioEvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(soundColumnName);
        options ??= new();
        options.Check();
        var (before, generator) = TransformerChain.Find<IAudioEvaluation>(model, AudioBaseModel.Wanted);
        return EvaluateAudio(() => AudioGeneratorEvaluator.Evaluate(
            generator, Through(before, data), soundColumnName, options, progress, cancellationToken));
    }

    /// <summary>Measures how far what a codec decodes is from what it encoded.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="data">Rows with sounds of the codec's rate and channels.</param>
    /// <param name="soundColumnName">The column of sounds.</param>
    /// <param name="bandwidth">One of <see cref="EnCodecModel.Bandwidths"/>, in kbit/s; the first where null.</param>
    /// <param name="options">
    /// What is measured beside <see cref="AudioMetrics.Reconstruction"/>: distances over the features of a network that is named.
    /// </param>
    /// <param name="progress">Told after every sound; null for nobody.</param>
    /// <param name="cancellationToken">Checked before every sound.</param>
    /// <exception cref="ArgumentException">
    /// An option is not usable, the column is missing or of another type, there are no rows, or a sound is missing, too short, of another
    /// rate or with other channels, or has samples that are no finite numbers; the message names the row.
    /// </exception>
    public AudioMetrics EvaluateAudio(
        EnCodecModel codec, IDataView data, string soundColumnName, double? bandwidth = null, AudioEvaluationOptions? options = null,
        IProgress<AudioEvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(soundColumnName);
        options ??= new();
        options.Check();
        codec.CodebooksOf(bandwidth); // refuses another
        return EvaluateAudio(() =>
        {
            using var comparer = new SoundComparer(options, options.FeatureExtractor, options.CompareSpeech ?? false, isOfCodec: true);
            var role = SoundPairs.Role("sound", soundColumnName);
            SoundPairs.Read(
                data, role, role,
                (real, _) =>
                {
                    using var codes = codec.Encode(real, bandwidth);
                    comparer.Add(real, codec.DecodeSounds(codes)[0]);
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
