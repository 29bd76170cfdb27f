using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio;

/// <summary>The values of some rows, and what is made of each when it is asked for.</summary>
/// <param name="source">The rows.</param>
/// <param name="column">The column that is read.</param>
/// <param name="slots">The most rows.</param>
/// <param name="map">
/// Makes a new value of a row's value and id, into memory that may hold another. An <see cref="ArgumentException"/> of it tells what is
/// wrong with the row.
/// </param>
internal sealed class AudioRows<TIn, TOut>(DataViewRow source, DataViewSchema.Column column, int slots, AudioRows<TIn, TOut>.Mapping map)
    : MappedBatch
{
    private readonly ValueGetter<TIn> _getter = source.GetGetter<TIn>(column);
    private readonly ValueGetter<DataViewRowId> _idGetter = source.GetIdGetter();
    private readonly TIn[] _values = new TIn[slots];
    private readonly DataViewRowId[] _ids = new DataViewRowId[slots];
    private readonly long[] _positions = new long[slots];

    public delegate void Mapping(TIn value, DataViewRowId id, ref TOut result);

    public override void Clear() => Array.Clear(_values);

    public override void Read(int slot)
    {
        _getter(ref _values[slot]);
        _idGetter(ref _ids[slot]);
        _positions[slot] = source.Position;
    }

    public override Delegate CreateGetter(int index, Func<int> current) => (ValueGetter<TOut>)((ref TOut value) =>
    {
        var slot = current();
        try
        {
            CheckType(_values[slot]);
            map(_values[slot], _ids[slot], ref value);
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException($"Row {_positions[slot]} (from 0), column '{column.Name}': {e.Message}", e);
        }
    });

    /// <summary>Refuses a sound that is not what its column says.</summary>
    private void CheckType(TIn value)
    {
        if (value is not Waveform sound || column.Type is not WaveformDataViewType type)
            return;
        if ((type.SampleRate != 0 && sound.SampleRate != type.SampleRate) || (type.Channels != 0 && sound.Channels != type.Channels))
        {
            throw new ArgumentException(
                $"The sound has {sound.Channels} channel(s) at {sound.SampleRate} Hz, but the column's type is {type}. "
                + "Leave the numbers out of [WaveformType], and put ResampleAudio behind.");
        }
    }
}
