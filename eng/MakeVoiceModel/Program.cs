// Has espeak-ng speak sentences that this program composes, in several voices, and trains the embedded speech generator on them, from
// random weights: a VITS with its discriminators.
//   dotnet run --project eng/MakeVoiceModel -c Release -- FOLDER [SHARE]
//   dotnet run --project eng/MakeVoiceModel -c Release -- speak VOICE COUNT FOLDER
// FOLDER gets the run's checkpoints and metrics, training.log, and in FOLDER/model the files of src/MLTransfer.Models.Voice/model. A run
// that was cut off goes on. SHARE of the steps, such as 0.03, is for a trial. All of it takes about 95 minutes of two cores of an AMD EPYC
// (Zen 4). The second form writes the sounds of a voice, such as those of samples/AudioGeneration/data/voice: 60 of en-us+anika, made
// smaller by oggenc -q 8. Debian: apt-get install espeak-ng vorbis-tools.
using System.Diagnostics;
using System.Globalization;
using MakeVoiceModel;
using MLTransfer.Making;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using static TorchSharp.torch;

const int Seed = 1;
const int Steps = 8_500;
const int SentencesEach = 250;
const int HeldOutEach = 6;
const int SpokenSeed = 5_000; // of sentences that are no voice's of the model

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    switch (args)
    {
        case ["speak", var voice, var count, var target]:
            VoiceSet.Write(voice, int.Parse(count), SpokenSeed, target);
            return 0;
        case [var target]:
            return Train(target, 1);
        case [var target, var share]:
            return Train(target, double.Parse(share));
        default:
            Console.Error.WriteLine("Usage: MakeVoiceModel FOLDER [SHARE], or MakeVoiceModel speak VOICE COUNT FOLDER");
            return 1;
    }
}
catch (InvalidOperationException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

static int Train(string folder, double share)
{
    var clock = Stopwatch.StartNew();
    var log = new TrainingLog(folder);
    var speech = Path.Combine(folder, "speech");
    var training = VoiceSet.Speak(Math.Max(8, (int)(SentencesEach * Math.Min(1, 4 * share))), seed: 100, speech);
    var heldOut = VoiceSet.Speak(HeldOutEach, seed: 900, speech);
    var seconds = training.Sum(row => row.Sound.Duration.TotalSeconds);
    var tokenizer = SpeechTokenizer.Create(Sentences.Characters, language: "eng");
    using var model = VitsModel.Create(ModelSizes.Voice(tokenizer.VocabularySize, VoiceSet.Voices.Count), Seed);
    log.Write(
        $"{training.Count} sentences of {VoiceSet.Voices.Count} voices, {seconds / 60:F1} minutes; "
        + $"{model.parameters().Sum(parameter => parameter.numel()):N0} parameters; {clock.Elapsed.TotalSeconds:F0} s");
    var steps = Math.Max(10, (int)(share * Steps));
    var result = new SpeechTrainer(
        model, tokenizer,
        new SpeechTrainingOptions
        {
            MaximumSteps = steps,
            BatchSize = 8,
            SegmentSize = 4096,
            LearningRate = 5e-4,
            LearningRateSchedule = LearningRateSchedule.Cosine,
            LearningRateDecay = 1,
            DiscriminatorWidth = ModelSizes.DiscriminatorWidth,
            FirstAdversarialStep = steps / 3,
            EvaluationSteps = Math.Max(1, steps / 8),
            EvaluationBatchSize = 8,
            CheckpointSteps = 250,
            CheckpointLimit = 2,
            OutputDirectory = folder,
            Resume = true,
            Seed = Seed,
        },
        training, heldOut).Train(new Progress(log));
    log.Write($"{result.Steps} steps in {result.Elapsed.TotalMinutes:F1} minutes; held-out mel loss {result.ValidationMelLoss:F3}");

    var modelFolder = Directory.CreateDirectory(Path.Combine(folder, "model")).FullName;
    model.Save(modelFolder, ScalarType.Float16);
    tokenizer.Save(modelFolder);
    Measure(modelFolder, heldOut, folder, log);
    var size = new DirectoryInfo(modelFolder).EnumerateFiles().Sum(file => file.Length);
    log.Write($"{size / 1e6:F2} MB; {clock.Elapsed.TotalMinutes:F1} minutes");
    return 0;
}

// How far spoken sentences are from espeak's, beside the distance between two voices.
static void Measure(string modelFolder, IReadOnlyList<SpeechExample> heldOut, string folder, TrainingLog log)
{
    using var model = VitsModel.Load(modelFolder); // measured as it is shipped
    var generator = new SpeechGenerator(model, SpeechTokenizer.Load(modelFolder));
    var spoken = generator.Generate(
        [.. heldOut.Select(row => new SpeechRequest(row.Text) { Speaker = row.Speaker })], new SpeechOptions { Seed = 1 });
    foreach (var group in heldOut.Zip(spoken).GroupBy(pair => pair.First.Speaker!.Value))
    {
        var (speaker, rows) = (group.Key, group.ToList());
        log.Write($"{VoiceSet.Voices[speaker]}: {Distance([.. rows.Select(row => (row.First.Sound, row.Second))])}");
        WaveformFile.Write(Path.Combine(folder, $"{VoiceSet.Voices[speaker]}-spoken.wav"), rows[0].Second);
        WaveformFile.Write(Path.Combine(folder, $"{VoiceSet.Voices[speaker]}-real.wav"), rows[0].First.Sound);
    }

    var texts = heldOut.Where(row => row.Speaker == 0).ToList();
    var others = texts.Select((row, i) => Espeak.Speak(VoiceSet.Voices[1], row.Text, Path.Combine(folder, "speech", $"other-{i}.wav")));
    log.Write(
        $"real {VoiceSet.Voices[0]} and {VoiceSet.Voices[1]}: {Distance([.. texts.Zip(others, (row, other) => (row.Sound, other))])}");
}

static string Distance(IReadOnlyList<(Waveform Real, Waveform Spoken)> pairs)
{
    var comparison = new SpeechComparison(Espeak.SampleRate);
    foreach (var (real, spoken) in pairs)
        comparison.Add(real, spoken);
    var distances = comparison.ToDistances();
    return $"mel-cepstral distortion {distances.CepstralDistortion:F2} dB, pitch {distances.PitchDifference:F2} semitones higher, "
        + $"{distances.PitchError:F0} cents off along the sentences";
}

/// <summary>A line every fifty steps.</summary>
internal sealed class Progress(TrainingLog log) : IProgress<SpeechProgress>
{
    public void Report(SpeechProgress value)
    {
        if (value.ValidationMelLoss is { } held)
        {
            log.Write(
                $"step {value.Step}: held-out mel loss {held:F3}, divergence {value.ValidationDivergence:F3}, durations "
                + $"{value.ValidationDurationLoss:F3}");
        }
        else if (value.Step % 50 == 0)
        {
            log.Write(
                $"step {value.Step}: mel {value.MelLoss:F2}, divergence {value.DivergenceLoss:F2}, durations {value.DurationLoss:F2}, "
                + $"features {value.FeatureLoss ?? 0:F2}, discriminator {value.DiscriminatorLoss ?? 0:F2}, "
                + $"{value.SoundSecondsPerSecond:F1} s/s, {value.Remaining:hh\\:mm\\:ss} left");
        }
    }
}
