using NLayer;

namespace MLTransfer.Torch.Sounds;

/// <summary>MP3 files, by NLayer.</summary>
internal sealed class MpegSource(MpegFile file) : SampleSource(file, file.SampleRate, file.Channels)
{
    public override int Read(Span<float> samples) => file.ReadSamples(samples);
}
