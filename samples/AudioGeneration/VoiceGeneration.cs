using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using MLTransfer;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;
using Microsoft.ML.Data;
using Samples;
using Spectre.Console;

namespace AudioGeneration;

/// <summary>Has a speech generator learn another voice from 48 sentences.</summary>
internal static class VoiceGeneration
{
    private const int HeldOutSentences = 12;
    private const int Shown = 3;
    private const string NewSpeaker = "new";

    public static void Run(
        AudioGenerationCommand options, ParseResult arguments, CancellationToken stopAndKeep, CancellationToken cancellationToken)
    {
        var (seed, output) = (arguments.GetRequiredValue(options.Seed), arguments.GetRequiredValue(options.Output));
        var model = arguments.GetValue(options.Model) ?? PretrainedModels.Voice;
        var ml = new MLContext(seed);
        var rows = Read();
        var (training, heldOut) = (rows.SkipLast(HeldOutSentences).ToList(), rows.TakeLast(HeldOutSentences).ToList());
        var (trainingRows, heldOutRows) = (ml.Data.LoadFromEnumerable(training), ml.Data.LoadFromEnumerable(heldOut));

        // The voice of the model that is nearest to the new one.
        var (before, first, known) = Nearest(ml, model, heldOut, cancellationToken);

        // Fine-tuning is an estimator like any other; a name that the model does not know becomes a further speaker of it, here one that
        // begins with the nearest voice. Sounds are compared by their spectrograms at first, which is twice as fast, and at last by the
        // discriminators too.
        var steps = arguments.GetValue(options.Steps) ?? 360;
        double? heldOutLoss = null;
        var bar = new TrainingBar<RunProgress>(report => report is not SpeechProgress progress ? "" :
            $"step {progress.Step}/{progress.TotalSteps}  mel {progress.MelLoss:F1}  "
            + $"held-out {heldOutLoss = progress.ValidationMelLoss ?? heldOutLoss:F1}  {progress.SoundSecondsPerSecond:F1} s/s");
        var speaker = ml.Transforms.FineTuneAudioGenerator("Speech", "Text", trainingColumnName: "Sound", new AudioGeneratorOptions
        {
            PretrainedModel = model,
            SpeakerColumnName = nameof(SpeechRow.Speaker),
            NewSpeakersLike = known.ToString(CultureInfo.InvariantCulture),
            Training = new SpeechTrainingOptions
            {
                MaximumSteps = steps,
                BatchSize = 8,
                SegmentSize = 4096,
                LearningRate = arguments.GetValue(options.LearningRate) ?? 8e-4,
                LearningRateSchedule = LearningRateSchedule.Cosine,
                FirstAdversarialStep = steps * 3 / 4,
                EvaluationSteps = 50,
                OutputDirectory = output,
            },
            ValidationData = heldOutRows,
            Progress = bar,
            StopAndKeep = stopAndKeep,
            CancellationToken = cancellationToken,
        });
        SampleProgram.Heading("Fine-tuning");
        var clock = Stopwatch.StartNew();
        var tuned = bar.Show(() => speaker.Fit(trainingRows));
        var trainingTime = clock.Elapsed;

        // The tuned model is an ML.NET model file, which another program loads.
        var zip = Path.Combine(output, "speaker.zip");
        ml.Generation.Save(tuned, trainingRows.Schema, zip);
        var loaded = new MLContext(seed).Model.Load(zip, out _);
        var after = Sounds(loaded, heldOutRows);
        var second = ml.Generation.EvaluateAudio(loaded, heldOutRows, "Sound", cancellationToken: cancellationToken).Speech!;
        AnsiConsole.Write(new Table().AddColumns("distance to the new voice", $"before (voice {known})", "after", "less")
            .AddRow(
                "mel-cepstral distortion (dB)", $"{first.CepstralDistortion:F2}", $"{second.CepstralDistortion:F2}",
                $"{1 - second.CepstralDistortion / first.CepstralDistortion:P0}")
            .AddRow("pitch, semitones higher", $"{first.PitchDifference:F2}", $"{second.PitchDifference:F2}", "")
            .AddRow("pitch along the sentence (cents)", $"{first.PitchError:F0}", $"{second.PitchError:F0}", ""));
        for (var i = 0; i < Shown; i++)
        {
            SoundFolder.Write(output, $"sentence-{i}-real", heldOut[i].Sound!);
            SoundFolder.Write(output, $"sentence-{i}-before", before[i]);
            SoundFolder.Write(output, $"sentence-{i}-after", after[i]);
        }

        Console.WriteLine(
            $"Trained in {trainingTime.TotalSeconds:F1} s; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
        Console.WriteLine($"Sentences with their spectrograms, speaker.zip, run.html and metrics.jsonl are in {Path.GetFullPath(output)}");
    }

    /// <summary>
    /// What the new voice says: by the synthesizer espeak-ng, in its voice en-us+anika, which is about as far from each of the embedded
    /// model's voices as two of these are from each other. Vorbis of quality 8 keeps it; of quality 0 it is 65 dB away from itself, as
    /// logarithms of spectra hear the faint noise that the codec leaves out.
    /// </summary>
    private static List<SpeechRow> Read()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "data", "voice");
        return
        [
            .. File.ReadLines(Path.Combine(folder, "texts.txt")).Select((text, i) => new SpeechRow
            {
                Text = text,
                Speaker = NewSpeaker,
                Sound = WaveformFile.Read(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{i:D2}.ogg"))),
            }),
        ];
    }

    private static (List<Waveform> Sounds, SpeechDistances Distances, int Voice) Nearest(
        MLContext ml, string model, List<SpeechRow> heldOut, CancellationToken cancellationToken)
    {
        var voices = new List<(List<Waveform> Sounds, SpeechDistances Distances, int Voice)>();
        int count;
        do
        {
            var voice = voices.Count.ToString(CultureInfo.InvariantCulture); // a number is that of a voice that there is
            var sentences = ml.Data.LoadFromEnumerable(
                heldOut.Select(row => new SpeechRow { Text = row.Text, Speaker = voice, Sound = row.Sound }));
            using var generator = ml.Transforms.GenerateAudio(
                "Speech", "Text", model, new GenerateAudioOptions { SpeakerColumnName = nameof(SpeechRow.Speaker) }).Fit(sentences);
            var distances = ml.Generation.EvaluateAudio(generator, sentences, "Sound", cancellationToken: cancellationToken).Speech!;
            voices.Add((Sounds(generator, sentences), distances, voices.Count));
            count = ((SpeechGenerationModel)generator.Model).Network.SpeakerCount;
        }
        while (voices.Count < count);
        return voices.MinBy(voice => voice.Distances.CepstralDistortion);
    }

    private static List<Waveform> Sounds(ITransformer generator, IDataView texts) =>
        [.. generator.Transform(texts).GetColumn<Waveform>("Speech")];
}
