using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Images;

/// <summary>Pictures of a coloured square on a ground of another colour, and a codec that is soon trained on them.</summary>
internal static class SquarePictures
{
    public const int Resolution = 16;

    public static ImageSet Create(int count, int seed, int channels = 3)
    {
        using var scope = NewDisposeScope();
        var random = new Random(seed);
        var pixels = zeros([count, channels, Resolution, Resolution], ScalarType.Byte);
        for (var row = 0; row < count; row++)
        {
            var (x, y) = (4 * random.Next(3), 4 * random.Next(3));
            for (var channel = 0; channel < channels; channel++)
            {
                pixels[row, channel].fill_(random.Next(2) * 200 + 20);
                pixels[row, channel].narrow(0, y, 8).narrow(1, x, 8).fill_(random.Next(2) * 200 + 20);
            }
        }

        return new ImageSet(pixels);
    }

    /// <summary>16 places of 24 codewords.</summary>
    public static DiscreteVaeModel Codec(long seed = 1) => DiscreteVaeModel.Create(
        DiscreteVaeModel.Configure(Resolution, 24, groups: 3, blocksPerGroup: 1, width: 12, decoderInputWidth: 8), seed);
}
