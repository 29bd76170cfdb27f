using MLTransfer.Torch.Networks.Codecs.EnCodec;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>
/// What a codec's encoder gives before it is quantized, for want of a classifier of such sounds: over each sound its mean over time, or
/// every frame.
/// </summary>
/// <remarks>Distances are only comparable over the same features: give a codec that is not being trained.</remarks>
/// <param name="codec">Stays the caller's.</param>
/// <param name="everyFrame">Whether each frame is a row of features; else each sound is one.</param>
public sealed class CodecFeatureExtractor(EnCodecModel codec, bool everyFrame = false) : IAudioFeatureExtractor
{
    /// <inheritdoc/>
    public int SampleRate => codec.SampleRate;

    /// <inheritdoc/>
    public int Channels => codec.Channels;

    /// <inheritdoc/>
    public Tensor Extract(Tensor sound)
    {
        ArgumentNullException.ThrowIfNull(sound);
        using var scope = NewDisposeScope();
        var frames = codec.Embed(sound.unsqueeze(0).to(codec.Device)).squeeze(0).t(); // [frames, width]
        return (everyFrame ? frames.contiguous() : frames.mean([0], keepdim: true)).MoveToOuterDisposeScope();
    }
}
