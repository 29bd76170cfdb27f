using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Images;

/// <summary>What columns have to know of a network that writes codes of pictures.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Side">Pixels along the side of the pictures that it makes and reads.</param>
/// <param name="HasTokenizer">Whether it reads captions.</param>
/// <param name="WhyNoEncoder">Where it reads no pictures: why, and what to do; null where it does.</param>
internal sealed record TextToImageKind(string Name, int Side, bool HasTokenizer, string? WhyNoEncoder)
{
    public static TextToImageKind Of(TextToImageModel network, TextTokenizer? tokenizer) => new(
        network.GetName(), SideOf(network), tokenizer is not null, network.Codec.CanEncode ? null
            : "its checkpoint holds the decoder alone. Name a folder with the whole codec in "
            + $"{nameof(GenerateImagesOptions.CodecFolder)}.");

    public static TextToImageKind Of(OnnxTextToImageGenerator generator) => new(
        generator.Decoder.Name, generator.PictureSize, generator.Tokenizer is not null, generator.CanEncode ? null
            : $"the export has no {ImageCodecExporter.EncoderFile}. Export a model whose codec has one.");

    /// <summary>Pixels along the side of the pictures that a network makes and reads.</summary>
    public static int SideOf(TextToImageModel network) => network.CodesPerSide * network.Codec.DownsamplingFactor;
}
