using MLTransfer.Torch.Sounds;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>Marks a member of a row's class that is a <see cref="Waveform"/>, as <c>ImageType</c> marks pictures.</summary>
/// <remarks>Where rate or channels are given, a row with others is refused when a transformer reads it.</remarks>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class WaveformTypeAttribute : DataViewTypeAttribute
{
    /// <summary>Sounds of any rate with any number of channels.</summary>
    public WaveformTypeAttribute()
    {
    }

    /// <summary>Sounds that are all alike.</summary>
    /// <param name="sampleRate">Frames a second.</param>
    /// <param name="channels">How many there are.</param>
    public WaveformTypeAttribute(int sampleRate, int channels = 1) => (SampleRate, Channels) = (sampleRate, channels);

    /// <summary>Frames a second; 0 where rows may differ.</summary>
    public int SampleRate { get; }

    /// <summary>How many channels; 0 where rows may differ.</summary>
    public int Channels { get; }

    /// <inheritdoc/>
    public override void Register() =>
        DataViewTypeManager.Register(WaveformDataViewType.Of(SampleRate, Channels), typeof(Waveform), this);

    /// <inheritdoc/>
    public override bool Equals(DataViewTypeAttribute? other) =>
        other is WaveformTypeAttribute attribute && attribute.SampleRate == SampleRate && attribute.Channels == Channels;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DataViewTypeAttribute);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(SampleRate, Channels);
}
