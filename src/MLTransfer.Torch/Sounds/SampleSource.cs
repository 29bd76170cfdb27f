
namespace MLTransfer.Torch.Sounds;

/// <summary>A decoder of a file: samples frame after frame.</summary>
/// <param name="decoder">What is closed with it; the file is its reader's.</param>
/// <param name="sampleRate">Frames a second, as the file says.</param>
/// <param name="channels">As the file says.</param>
internal abstract class SampleSource(IDisposable decoder, int sampleRate, int channels) : IDisposable
{
    public int SampleRate => sampleRate;

    public int Channels => channels;

    /// <summary>The frames that the file says it has; null where it does not say, or the decoder would have to read all to know.</summary>
    public virtual long? Frames => null;

    /// <summary>Reads the next samples; 0 at the end.</summary>
    /// <param name="samples">Room for whole frames.</param>
    public abstract int Read(Span<float> samples);

    public void Dispose() => decoder.Dispose();
}
