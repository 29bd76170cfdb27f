using MLTransfer.Torch.Checkpoints;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Metrics;

/// <summary>Brings sounds to the shape that a network of another origin takes, and its features to rows.</summary>
internal static class AudioInput
{
    /// <summary>A batch of a sound's windows.</summary>
    /// <param name="sound">[channels, samples].</param>
    /// <param name="window">
    /// Samples that the network takes at once: the sound is cut into windows of so many, what is left is dropped, and a sound that is
    /// shorter is filled up with silence. Null for the whole sound.
    /// </param>
    /// <param name="hasChannelAxis">Whether the network takes [N, channels, samples]; else [N, samples] of one channel.</param>
    public static Tensor Cut(Tensor sound, long? window, bool hasChannelAxis)
    {
        using var scope = NewDisposeScope();
        var (channels, samples) = (sound.shape[0], sound.shape[1]);
        var width = window ?? samples;
        var whole = samples < width
            ? nn.functional.pad(sound, [0, width - samples])
            : sound.narrow(1, 0, samples / width * width);
        var cut = whole.view(channels, -1, width).transpose(0, 1).contiguous(); // [N, channels, width]
        return (hasChannelAxis ? cut : cut.squeeze(1)).MoveToOuterDisposeScope();
    }

    /// <summary>[N, width], or [N, parts, width] and then a row for each part, as rows.</summary>
    /// <param name="features">What the network gave.</param>
    /// <param name="windows">N.</param>
    /// <param name="extractor">What messages call the network.</param>
    /// <exception cref="NotSupportedException">The shape is another one.</exception>
    public static Tensor Rows(Tensor features, long windows, string extractor)
    {
        if (features.dim() is not (2 or 3) || features.shape[0] != windows)
        {
            throw new NotSupportedException(
                $"{extractor} gave the shape {TensorShape.Describe(features.shape)} for {windows} windows of sound; expected "
                + $"[{windows}, width] or [{windows}, parts, width].");
        }

        return features.reshape(-1, features.shape[^1]);
    }
}
