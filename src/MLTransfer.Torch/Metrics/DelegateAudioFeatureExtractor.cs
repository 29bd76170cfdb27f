using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>A feature extractor of a function, such as the forward pass of the user's own network.</summary>
/// <param name="sampleRate">Frames a second of the sounds that the function takes.</param>
/// <param name="extract">A float32 sound [channels, samples] to features [rows, width].</param>
/// <param name="channels">Channels of the sounds that the function takes.</param>
public sealed class DelegateAudioFeatureExtractor(int sampleRate, Func<Tensor, Tensor> extract, int channels = 1) : IAudioFeatureExtractor
{
    /// <inheritdoc/>
    public int SampleRate => sampleRate;

    /// <inheritdoc/>
    public int Channels => channels;

    /// <inheritdoc/>
    public Tensor Extract(Tensor sound) => extract(sound);
}
