using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>Sounds as rows of one length: a sound has as many rows as such segments fit, and at least one.</summary>
internal sealed class SoundSegments
{
    private readonly IReadOnlyList<Waveform> _sounds;
    private readonly int _samples;
    private readonly int _channels;
    private readonly List<(int Sound, int Start)> _rows = [];

    /// <param name="sounds">At least one.</param>
    /// <param name="samples">Of a row.</param>
    /// <param name="channels">Of all sounds.</param>
    public SoundSegments(IReadOnlyList<Waveform> sounds, int samples, int channels)
    {
        (_sounds, _samples, _channels) = (sounds, samples, channels);
        foreach (var (index, sound) in sounds.Index())
        {
            for (var segment = 0; segment < Math.Max(1, sound.Frames / samples); segment++)
                _rows.Add((index, segment * samples));
        }
    }

    public int Count => _rows.Count;

    /// <summary>Rows as they lie one after the other: [rows, channels, samples].</summary>
    public Tensor Take(IReadOnlyList<int> rows) => Cut(rows, row => _rows[row].Start);

    /// <summary>Rows that begin anywhere in the sounds of their numbers.</summary>
    /// <param name="rows">Their numbers.</param>
    /// <param name="seedOf">A seed for each.</param>
    public Tensor Draw(IReadOnlyList<int> rows, Func<int, ulong> seedOf) => Cut(rows, row =>
        (int)(new SplitMix64(seedOf(row)).NextDouble() * (Math.Max(0, _sounds[_rows[row].Sound].Frames - _samples) + 1)));

    private Tensor Cut(IReadOnlyList<int> rows, Func<int, int> startOf)
    {
        var samples = new float[rows.Count * _channels * _samples];
        foreach (var (index, row) in rows.Index())
        {
            var (sound, start) = (_sounds[_rows[row].Sound], startOf(row));
            for (var channel = 0; channel < _channels; channel++)
            {
                sound.Channel(channel)[start..Math.Min(sound.Frames, start + _samples)]
                    .CopyTo(samples.AsSpan((index * _channels + channel) * _samples));
            }
        }

        return tensor(samples, rows.Count, _channels, _samples);
    }
}
