using System.CommandLine;
using System.Diagnostics;
using AudioGeneration.Tunes;
using MLTransfer;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;
using Microsoft.ML.Data;
using Samples;
using Spectre.Console;

namespace AudioGeneration;

/// <summary>Has a music generator learn the whole-tone scale, which it has never heard, from tunes with captions.</summary>
internal static class TuneGeneration
{
    private const int TrainingTunes = 960;
    private const int HeldOutTunes = 24;
    private const int Shown = 3;

    public static void Run(
        AudioGenerationCommand options, ParseResult arguments, CancellationToken stopAndKeep, CancellationToken cancellationToken)
    {
        var (seed, output) = (arguments.GetRequiredValue(options.Seed), arguments.GetRequiredValue(options.Output));
        var model = arguments.GetValue(options.Model) ?? PretrainedModels.Tunes;
        var ml = new MLContext(seed);
        var (_, training) = Compose(TrainingTunes, seed);
        var (styles, heldOut) = Compose(HeldOutTunes, seed + 1);
        var (trainingRows, heldOutRows) = (ml.Data.LoadFromEnumerable(training), ml.Data.LoadFromEnumerable(heldOut));
        var music = new MusicGenerationOptions { MaximumSeconds = Tune.Seconds, Temperature = 0.7, TopK = 100 };

        // Fine-tuning is an estimator like any other.
        double? heldOutLoss = null;
        var bar = new TrainingBar<RunProgress>(report => report is not MusicProgress progress ? "" :
            $"step {progress.Step}/{progress.TotalSteps}  loss {progress.Loss:F3}  "
            + $"held-out {heldOutLoss = progress.Validation?.Loss ?? heldOutLoss:F3}  {progress.FramesPerSecond:F0} frames/s");
        var composer = ml.Transforms.FineTuneAudioGenerator("Tune", "Caption", trainingColumnName: "Sound", new AudioGeneratorOptions
        {
            PretrainedModel = model,
            AllWeights = true,
            Training = new MusicTrainingOptions
            {
                MaximumSteps = arguments.GetValue(options.Steps) ?? 320,
                BatchSize = 8,
                LearningRate = arguments.GetValue(options.LearningRate) ?? 2.5e-4,
                LearningRateSchedule = LearningRateSchedule.Cosine,
                ConditionDropout = 0.1,
                SamplePrompts = [TuneCaptions.Full(styles[0])], // played in run.html
                SampleGeneration = music,
                OutputDirectory = output,
            },
            ValidationData = heldOutRows,
            Music = music,
            GenerationBatchSize = HeldOutTunes,
            Progress = bar,
            StopAndKeep = stopAndKeep,
            CancellationToken = cancellationToken,
        });

        // What the model makes of the same captions before.
        var untuned = ml.Transforms.GenerateAudio(
            "Tune", "Caption", model, new GenerateAudioOptions { Music = music, GenerationBatchSize = HeldOutTunes }).Fit(heldOutRows);
        var before = Sounds(untuned, heldOutRows);

        SampleProgram.Heading("Fine-tuning");
        var clock = Stopwatch.StartNew();
        var tuned = bar.Show(() => composer.Fit(trainingRows));
        var trainingTime = clock.Elapsed;
        var loss = (MusicTrainingResult)tuned.TrainingResult!;

        // The tuned model is an ML.NET model file, which another program loads.
        var zip = Path.Combine(output, "composer.zip");
        ml.Generation.Save(tuned, trainingRows.Schema, zip);
        var after = Sounds(new MLContext(seed).Model.Load(zip, out _), heldOutRows);

        var checker = new TuneChecker();
        TuneScore Score(IEnumerable<Waveform> sounds) => TuneScore.Of(styles, [.. sounds.Select(checker.Check)]);
        Print(Score(before), Score(after), Score(heldOut.Select(row => row.Sound!)), loss);
        for (var i = 0; i < Shown; i++)
        {
            SoundFolder.Write(output, $"tune-{i}-real", heldOut[i].Sound!);
            SoundFolder.Write(output, $"tune-{i}-before", before[i]);
            SoundFolder.Write(output, $"tune-{i}-after", after[i]);
        }

        Console.WriteLine(
            $"Trained in {trainingTime.TotalSeconds:F1} s; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB.");
        Console.WriteLine($"Tunes with their spectrograms, composer.zip, run.html and metrics.jsonl are in {Path.GetFullPath(output)}");
    }

    private static (List<TuneStyle> Styles, List<TuneRow> Rows) Compose(int count, int seed)
    {
        var random = new Random(seed);
        var tunes = Enumerable.Range(0, count)
            .Select(_ => TuneComposer.Compose(TuneStyle.Draw(random, [Scale.WholeTone]), random)).ToList();
        return (
            [.. tunes.Select(tune => tune.Style)],
            [.. tunes.Select(tune => new TuneRow { Caption = TuneCaptions.Full(tune.Style), Sound = TuneRenderer.Render(tune, random) })]);
    }

    private static List<Waveform> Sounds(ITransformer generator, IDataView captions) =>
        [.. generator.Transform(captions).GetColumn<Waveform>("Tune")];

    private static void Print(TuneScore before, TuneScore after, TuneScore real, MusicTrainingResult loss)
    {
        var table = new Table().AddColumns("", "before", "after", "real");
        foreach (var (name, share) in (ReadOnlySpan<(string, Func<TuneScore, double>)>)[
            ("notes in the whole-tone scale", score => score.InScale), ("tempo as asked", score => score.Tempo),
            ("instrument as asked", score => score.Timbre), ("beats as asked", score => score.Beats),
            ("caption obeyed in all", score => score.All)])
        {
            table.AddRow(name, $"{share(before):P0}", $"{share(after):P0}", $"{share(real):P0}");
        }

        table.AddRow("held-out loss (nats a code)", $"{loss.InitialValidationLoss:F3}", $"{loss.ValidationLoss:F3}", "");
        AnsiConsole.Write(table);
        Console.WriteLine($"What is heard in real tunes is right in {real.All:P0} of them: other figures are no more exact than that.");
    }
}
