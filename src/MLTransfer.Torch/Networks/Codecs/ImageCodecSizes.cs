using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Codecs.Vqgan;

namespace MLTransfer.Torch.Networks.Codecs;

/// <summary>What a codec's configuration tells of its pictures and codes, where no network is built.</summary>
/// <param name="CodesPerSide">Codes of a picture, along its side.</param>
/// <param name="DownsamplingFactor">Pixels along a code's side.</param>
/// <param name="CodebookSize">Codewords.</param>
internal sealed record ImageCodecSizes(int CodesPerSide, int DownsamplingFactor, int CodebookSize)
{
    /// <param name="configuration">The configuration of any <see cref="ImageCodec"/>, with all sizes.</param>
    /// <param name="origin">The file, for error messages.</param>
    /// <exception cref="InvalidDataException">An entry is missing or malformed.</exception>
    /// <exception cref="NotSupportedException">An entry asks for what is not supported; the message names it.</exception>
    public static ImageCodecSizes Read(JsonObject configuration, string origin)
    {
        switch (configuration["architecture"]?.ToString())
        {
            case DalleVaeConfiguration.Architecture:
                var dalle = DalleVaeConfiguration.Read(configuration, origin);
                return Of(dalle.ImageSize, 1 << (dalle.Groups - 1), dalle.CodebookSize);
            case VqganConfiguration.Architecture:
                return OfVqgan(configuration, origin);
            default:
                var replicated = ReplicatedVaeConfiguration.Read(configuration, origin);
                return Of(replicated.ImageSize, 1 << replicated.Layers, replicated.CodebookSize);
        }
    }

    /// <summary>The same of a VQGAN, whose file need not tell what it is.</summary>
    public static ImageCodecSizes OfVqgan(JsonObject configuration, string origin)
    {
        var vqgan = VqganConfiguration.Read(configuration, origin);
        return Of(vqgan.Resolution, vqgan.Factor, vqgan.CodebookSize);
    }

    private static ImageCodecSizes Of(int pictureSize, int factor, int codebookSize) => new(pictureSize / factor, factor, codebookSize);
}
