using AudioGeneration.Tunes;
using MLTransfer.Making;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;

namespace MakeTunesModel;

/// <summary>Trains the codec on tunes.</summary>
internal sealed class CodecStage(string folder, int seed, TrainingLog log) : IProgress<EnCodecProgress>
{
    private const int Tunes = 2_000;

    /// <summary>The trained codec; where it is there already, that one.</summary>
    /// <param name="steps">Of the training.</param>
    /// <param name="heldOut">To measure with.</param>
    public EnCodecModel Run(int steps, TuneSet heldOut)
    {
        var saved = Path.Combine(folder, "trained");
        if (Directory.Exists(saved))
            return EnCodecModel.Load(saved);
        var codec = EnCodecModel.Create(ModelSizes.Codec(), seed);
        log.Write($"codec: {codec.parameters().Sum(parameter => parameter.numel()):N0} parameters, {codec.FrameRate} frames a second");
        var result = new EnCodecTrainer(
            codec,
            new EnCodecTrainingOptions
            {
                MaximumSteps = steps,
                BatchSize = 16,
                SegmentSeconds = 1,
                LearningRate = 1e-3,
                LearningRateSchedule = LearningRateSchedule.Cosine,
                WarmupSteps = Math.Min(100, steps / 10),
                WaveformWeight = 0.3, // tones have a phase that is worth keeping
                CommitmentWeight = 30, // with 1 what is quantized runs away from its codewords after some 250 steps
                CodebookDecay = 0.98,
                EvaluationSteps = Math.Max(1, steps / 6),
                CheckpointSteps = 200,
                CheckpointLimit = 2,
                OutputDirectory = folder,
                Resume = true,
                Seed = seed,
            },
            new TuneSet(Tunes, seed).Sounds(), heldOut.Sounds()).Train(this);
        log.Write(
            $"codec: {result.Steps} steps in {result.Elapsed.TotalMinutes:F1} minutes; held-out mel loss {result.InitialMelLoss:F3} to "
            + $"{result.MelLoss:F3}");
        var unfinished = Directory.CreateDirectory(saved + ".unfinished").FullName;
        codec.Save(unfinished);
        Directory.Move(unfinished, saved);
        return codec;
    }

    public void Report(EnCodecProgress value)
    {
        if (value.ValidationMelLoss is { } held)
        {
            log.Write(
                $"codec step {value.Step}: held-out mel loss {held:F3}, waveform {value.ValidationWaveformLoss:F4}, codes used "
                + string.Join(' ', value.ValidationUsedShares.Select(share => $"{share:P0}")) + ", perplexities "
                + string.Join(' ', value.ValidationPerplexities.Select(perplexity => $"{perplexity:F0}")));
        }
        else if (value.Step % 50 == 0)
        {
            log.Write(
                $"codec step {value.Step}: mel {value.MelLoss:F3}, waveform {value.WaveformLoss:F4}, commitment {value.CommitmentLoss:F3}, "
                + $"perplexity {value.Perplexity:F0}, {value.Remaining:hh\\:mm\\:ss} left");
        }
    }

    /// <summary>Hears tunes that went through the codec.</summary>
    public static void Measure(EnCodecModel codec, TuneSet tunes, TuneChecker checker, TrainingLog log)
    {
        var (asked, heard, notes, right) = (new List<TuneStyle>(), new List<TuneReport>(), 0, 0);
        for (var index = 0; index < tunes.Count; index++)
        {
            var (style, _, tune, sound) = tunes[index];
            using var codes = codec.Encode(sound);
            var report = checker.Check(codec.DecodeSounds(codes)[0]);
            asked.Add(style);
            heard.Add(report);
            notes += tune.Notes.Count;
            right += tune.Notes.Count(note => report.Notes.Any(other =>
                other.Semitone == note.Pitch && Math.Abs(other.Start - note.Start * tune.BeatSeconds) < 0.08));
        }

        log.Write(
            $"tunes through the codec: {(double)right / notes:P1} of the notes are heard where and as they are; "
            + $"{TuneScore.Of(asked, heard)}");
    }
}
