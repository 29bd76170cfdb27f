using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;

namespace MLTransfer.Audio.Generators;

/// <summary>Reads the rows that an audio generator learns from, or is measured on, one at a time.</summary>
/// <param name="Data">The rows.</param>
/// <param name="Inputs">The columns.</param>
/// <param name="Model">What learns.</param>
/// <param name="ConvertSounds">Whether sounds of another rate or number of channels are converted.</param>
internal sealed record AudioTrainingReader(IDataView Data, AudioTrainingInputs Inputs, AudioGenerationModel Model, bool ConvertSounds)
{
    /// <summary>A row.</summary>
    /// <param name="Sound">As the model reads it.</param>
    /// <param name="Text">What is said of it or in it; null for nothing.</param>
    /// <param name="Speaker">Who speaks; null for nobody.</param>
    internal sealed record Row(Waveform Sound, string? Text, string? Speaker);

    /// <summary>Reads all rows.</summary>
    /// <exception cref="InvalidOperationException">A value is missing or not usable; the message names row and column.</exception>
    public IEnumerable<Row> Read(CancellationToken cancellationToken)
    {
        using var cursor = Data.GetRowCursor(Inputs.All);
        var sounds = cursor.GetGetter<Waveform>(Inputs.Sound);
        var texts = Inputs.Text is { } text ? cursor.GetGetter<ReadOnlyMemory<char>>(text) : null;
        var speaker = Inputs.Speaker is { } column ? SpeakerReader.Create(cursor, column) : null;
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            Waveform sound = null!;
            sounds(ref sound);
            ReadOnlyMemory<char> words = default;
            texts?.Invoke(ref words);
            var read = RowCheck.Of(cursor, Inputs.Sound, () => AudioCheck.Read(sound, Model, ConvertSounds));
            if (Model is SpeechGenerationModel && texts is not null)
            {
                RowCheck.Of(cursor, Inputs.Text!.Value, () => words.Span.IsWhiteSpace()
                    ? throw new ArgumentException("There is no text for the sound. Leave the row out.") : true);
                RowCheck.Of(cursor, Inputs.Sound, () => AudioCheck.IsSilent(read)
                    ? throw new ArgumentException("The sound is silent, but has a text. Leave the row out.") : true);
            }

            yield return new Row(
                read, words.Span.IsWhiteSpace() ? null : words.ToString(),
                speaker is null ? null : RowCheck.Of(cursor, Inputs.Speaker!.Value, speaker));
        }
    }
}
