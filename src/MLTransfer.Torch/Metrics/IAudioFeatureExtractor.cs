using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>A network whose features tell how sounds sound; distances between sets of sounds are measured over them.</summary>
public interface IAudioFeatureExtractor
{
    /// <summary>Frames a second of the sounds that it takes; sounds of other rates are converted before.</summary>
    int SampleRate { get; }

    /// <summary>The channels of the sounds that it takes, 1 or as many as all sounds have; see
    /// <see cref="WaveformConversion.Mix"/>.</summary>
    int Channels { get; }

    /// <summary>The features of a sound. Called without gradients.</summary>
    /// <param name="sound">float32, [channels, samples], 1 is full scale. Not disposed by the callee.</param>
    /// <returns>[rows, width]: a row for the whole sound, or for each of its parts. All rows of all sounds make up the set.</returns>
    Tensor Extract(Tensor sound);
}
