using System.Collections.Concurrent;
using MLTransfer.Torch.Sounds;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>
/// The type of a column of sounds (<see cref="Waveform"/>), as <c>ImageDataViewType</c> is of pictures. Sounds do not change and hold
/// nothing that must be freed, so unlike pictures they are cached and shuffled as numbers and texts are.
/// </summary>
public sealed class WaveformDataViewType : PrimitiveDataViewType
{
    // parts of ML.NET, such as CustomMapping, want the very same object
    private static readonly ConcurrentDictionary<(int SampleRate, int Channels), WaveformDataViewType> s_types = new();

    private WaveformDataViewType(int sampleRate, int channels)
        : base(typeof(Waveform)) => (SampleRate, Channels) = (sampleRate, channels);

    /// <summary>Frames a second of every row; 0 where they may differ.</summary>
    public int SampleRate { get; }

    /// <summary>Channels of every row; 0 where they may differ.</summary>
    public int Channels { get; }

    /// <summary>The type of sounds whose rate and channels may be known.</summary>
    /// <param name="sampleRate">Frames a second; 0 where rows may differ.</param>
    /// <param name="channels">How many; 0 where rows may differ.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is beyond what a <see cref="Waveform"/> may have.</exception>
    public static WaveformDataViewType Of(int sampleRate = 0, int channels = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sampleRate);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRate, Waveform.HighestSampleRate);
        ArgumentOutOfRangeException.ThrowIfNegative(channels);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, Waveform.MostChannels);
        return s_types.GetOrAdd((sampleRate, channels), key => new WaveformDataViewType(key.SampleRate, key.Channels));
    }

    /// <inheritdoc/>
    public override bool Equals(DataViewType? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DataViewType);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(SampleRate, Channels);

    /// <inheritdoc/>
    public override string ToString()
    {
        var (rate, channels) =
            (SampleRate == 0 ? "any rate" : $"{SampleRate} Hz", Channels == 0 ? "any channels" : $"{Channels} channel(s)");
        return this is { SampleRate: 0, Channels: 0 } ? "Waveform" : $"Waveform<{rate}, {channels}>";
    }
}
