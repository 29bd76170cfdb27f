using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;

namespace MLTransfer.Audio.Evaluation;

/// <summary>Reads two columns of sounds together.</summary>
internal static class SoundPairs
{
    /// <summary>Gives the sounds of each row to an action.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="real">The column of real sounds.</param>
    /// <param name="generated">The column of generated ones.</param>
    /// <param name="add">An <see cref="ArgumentException"/> of it tells what is wrong with the row.</param>
    /// <param name="cancellationToken">Checked before every row.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type, or a row is wrong; the message names it.</exception>
    public static void Read(
        IDataView data, ColumnRole real, ColumnRole generated, Action<Waveform, Waveform> add, CancellationToken cancellationToken)
    {
        var (first, second) = (real.Find(data.Schema), generated.Find(data.Schema));
        using var cursor = data.GetRowCursor([first, second]);
        var (realGetter, generatedGetter) = (cursor.GetGetter<Waveform>(first), cursor.GetGetter<Waveform>(second));
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            Waveform? realSound = null, generatedSound = null;
            realGetter(ref realSound!);
            generatedGetter(ref generatedSound!);
            try
            {
                add(Present(realSound, first), Present(generatedSound, second));
            }
            catch (ArgumentException exception)
            {
                throw new ArgumentException(
                    $"Row {cursor.Position} (from 0), columns '{first.Name}' and '{second.Name}': {exception.Message}", nameof(data),
                    exception);
            }
        }

        static Waveform Present(Waveform? sound, DataViewSchema.Column column) =>
            sound ?? throw new ArgumentException($"'{column.Name}' has no sound. Fill it, or filter the row out.");
    }

    /// <summary>A column of sounds.</summary>
    public static ColumnRole Role(string purpose, string column) => new(purpose, column, ColumnKind.Sound, "sounds (Waveform)");
}
