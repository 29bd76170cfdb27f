using System.Globalization;
using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Writing.Codecs;
using MLTransfer.Torch.Networks.Codecs;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes codecs of pictures as ONNX files: VQGANs, and discrete VAEs of both layouts.</summary>
/// <remarks>
/// <see cref="DecoderFile"/> takes <c>image_codes</c> [batch, rows, columns] int64 and gives <c>pixel_values</c> [batch, 3, height, width]
/// float32 from 0 to 1, red, green and blue; <see cref="EncoderFile"/> does the reverse. Rows and columns are any, as many as the picture
/// has. Files have opset 18 and standard operators alone.
/// </remarks>
public static class ImageCodecExporter
{
    /// <summary>What the file of the decoder is called.</summary>
    public const string DecoderFile = "image_decode.onnx";

    /// <summary>What the file of the encoder is called.</summary>
    public const string EncoderFile = "image_encode.onnx";

    /// <summary>What rounding explains, where black and white are 1 apart; a wrong graph is far beyond.</summary>
    private const double Bound = 1e-3;

    /// <summary>The share of codes that rounding may change.</summary>
    private const double CodeBound = 0.1;

    /// <summary>Rows and columns of the pictures that are compared: no square, so that one taken for the other shows.</summary>
    private const int Rows = 2, Columns = 3;

    /// <summary>Writes the decoder and compares its pictures in ONNX Runtime with the engine's before the file gets its name.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="path">The file, which is replaced where there is one.</param>
    /// <returns>The largest difference of a pixel from the engine's, where black and white are 1 apart.</returns>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open the file, or computes other pictures than the
    /// engine.</exception>
    public static double ExportDecoder(ImageCodec codec, string path)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using var hold = codec.Hold();
        return OnnxFile.Write(path, PictureCodecGraph.Decoder(codec), "decoder of pictures", session => ComparePictures(session, codec));
    }

    /// <summary>Writes the encoder and compares its codes in ONNX Runtime with the engine's before the file gets its name.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="path">The file, which is replaced where there is one.</param>
    /// <returns>The share of codes that differ from the engine's: 0 but for pixels between two codewords.</returns>
    /// <exception cref="NotSupportedException">The codec has no encoder.</exception>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open the file, or computes other codes than the
    /// engine.</exception>
    public static double ExportEncoder(ImageCodec codec, string path)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using var hold = codec.Hold();
        if (!codec.CanEncode)
            throw new NotSupportedException($"The {codec.GetName()} has a decoder alone: there is no encoder to write.");
        return OnnxFile.Write(path, PictureCodecGraph.Encoder(codec), "encoder of pictures", session => CompareCodes(session, codec));
    }

    private static double ComparePictures(InferenceSession session, ImageCodec codec)
    {
        using var scope = NewDisposeScope();
        var codes = arange(2 * Rows * Columns, ScalarType.Int64).mul(7919).remainder(codec.CodebookSize);
        var expected = codec.Decode(codes.view(2, -1), Rows).cpu();
        using var onnx = new OnnxModelSession(session, isOwned: false);
        var found = onnx.Run((PictureCodecGraph.Codes, codes.view(2, Rows, Columns)));
        var difference = found.shape.SequenceEqual(expected.shape)
            ? (found - expected).abs().max().ToDouble() : double.PositiveInfinity;
        return difference <= Bound // NaN is not
            ? difference
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported decoder computes other pictures than the engine: a pixel differs by {difference:0.000e+0}."));
    }

    private static double CompareCodes(InferenceSession session, ImageCodec codec)
    {
        using var scope = NewDisposeScope();
        var (height, width) = (Rows * codec.DownsamplingFactor, Columns * codec.DownsamplingFactor);
        var pictures = arange(2 * 3 * height * width, ScalarType.Float32).mul(0.37).sin().mul(0.5).add(0.5).view(2, 3, height, width);
        var expected = codec.Encode(pictures.to(codec.Device)).cpu();
        using var onnx = new OnnxModelSession(session, isOwned: false);
        var found = onnx.Run((PictureCodecGraph.Pictures, pictures));
        var share = found.shape.SequenceEqual([2L, Rows, Columns])
            ? found.view(2, -1).ne(expected).to(ScalarType.Float64).mean().ToDouble() : 1;
        return share <= CodeBound
            ? share
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported encoder computes other codes than the engine: {share:P1} differ."));
    }
}
