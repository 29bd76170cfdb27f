using System.Globalization;
using System.Runtime.InteropServices;
using MLTransfer.Cards;
using MLTransfer.Columns;
using MLTransfer.Text;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Audio.Generators;

/// <summary>The training of one kind of audio generator. Disposing it disposes the model, unless that is passed on.</summary>
internal abstract class AudioFineTuning(AudioBaseModel start, AudioGeneratorOptions options, long seed, IChannel channel) : IDisposable
{
    /// <summary>What is trained.</summary>
    public AudioGenerationModel Model { get; protected set; } = start.Model;

    public long Seed => seed;

    /// <summary>The model that adapters are saved for; null where the whole model is saved.</summary>
    public BaseModelReference? AdaptersOf { get; protected set; }

    protected string Name => start.Name;

    protected string? Folder => start.Folder;

    protected AudioGeneratorOptions Options => options;

    protected IChannel Channel => channel;

    public void Dispose() => Model.Dispose();

    /// <summary>Counts the rows, and checks each.</summary>
    /// <exception cref="ArgumentException">A column is not usable, or there are no rows.</exception>
    /// <exception cref="InvalidOperationException">A row is not usable.</exception>
    public AudioDataReport Count(IDataView data, AudioGeneratorColumns columns, string trainingColumn) =>
        Count(Reader(data, columns, trainingColumn).Read(options.CancellationToken));

    /// <summary>Trains the model.</summary>
    public AudioTrainingResult Train(IDataView data, AudioGeneratorColumns columns, string trainingColumn)
    {
        var training = Reader(data, columns, trainingColumn);
        var validation = options.ValidationData is { } held ? Reader(held, columns, trainingColumn) : null;
        return Train(training, validation);
    }

    protected abstract AudioTrainingResult Train(AudioTrainingReader training, AudioTrainingReader? validation);

    /// <summary>How many of the rows are held out: the last ones.</summary>
    protected int HeldOut(int rows) => options.ValidationData is not null || options.ValidationFraction == 0 || rows < 2
        ? 0 : Math.Clamp((int)Math.Round(rows * options.ValidationFraction), 1, rows - 1);

    /// <summary>Counts rows while they are read.</summary>
    protected static AudioDataReport Count(IEnumerable<AudioTrainingReader.Row> rows)
    {
        var (sounds, silent, withoutText, seconds) = (0, 0, 0, 0.0);
        var duplicates = new DuplicateCounter();
        var speakers = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            sounds++;
            seconds += row.Sound.Duration.TotalSeconds;
            silent += AudioCheck.IsSilent(row.Sound) ? 1 : 0;
            withoutText += row.Text is null ? 1 : 0;
            duplicates.Add(MemoryMarshal.AsBytes(row.Sound.Samples));
            if (row.Speaker is not null)
                speakers[row.Speaker] = speakers.GetValueOrDefault(row.Speaker) + 1;
        }

        return sounds == 0 ? throw new ArgumentException("There is nothing to train on: the data has no rows.") : new AudioDataReport
        {
            Sounds = sounds,
            Seconds = seconds,
            SilentSounds = silent,
            DuplicateSounds = duplicates.Count,
            SoundsWithoutText = withoutText,
            SoundsBySpeaker = speakers,
        };
    }

    protected ModelCard CreateCard(
        AudioDataReport data, IEnumerable<(string Name, double? Value)> metrics, params IEnumerable<object?> trained) =>
        ModelCard.OfTraining(
            Model.Card?.Base,
            [
                new("sounds", $"{data.Sounds}"),
                new("minutes", (data.Seconds / 60).ToString("0.0", CultureInfo.InvariantCulture)),
            ],
            metrics, trained);

    private AudioTrainingReader Reader(IDataView data, AudioGeneratorColumns columns, string trainingColumn) => new(
        data, columns.FindTraining(data.Schema, trainingColumn, Model, options.ConvertSounds), Model, options.ConvertSounds);
}
