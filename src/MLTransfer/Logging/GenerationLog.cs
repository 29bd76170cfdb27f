using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Generation.Music;
using Microsoft.ML.Runtime;

namespace MLTransfer.Logging;

/// <summary>Warns of options that change nothing.</summary>
internal static class GenerationLog
{
    /// <param name="channel">Where the warning goes.</param>
    /// <param name="options">How text is generated.</param>
    public static void Warn(IChannel channel, GenerationOptions options) => Warn(channel, options.UnheededOptions());

    /// <param name="channel">Where the warning goes.</param>
    /// <param name="options">How music is generated; null for defaults.</param>
    public static void Warn(IChannel channel, MusicGenerationOptions? options) => Warn(channel, options?.UnheededOptions() ?? []);

    /// <param name="channel">Where the warning goes.</param>
    /// <param name="options">How codes of pictures are drawn; null for defaults.</param>
    public static void Warn(IChannel channel, ImageGenerationOptions? options) => Warn(channel, options?.UnheededOptions() ?? []);

    private static void Warn(IChannel channel, IEnumerable<string> options)
    {
        var unheeded = string.Join(", ", options);
        if (unheeded.Length > 0)
        {
            channel.Warning($"Generation: {unheeded} without {nameof(GenerationOptions.Sample)} changes nothing: nothing is drawn at "
                + $"random. Set {nameof(GenerationOptions.Sample)} = true, or leave it out.");
        }
    }
}
