using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using MLTransfer.Onnx.Writing.Codecs;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes codecs of sounds as ONNX files, with the names that Optimum and transformers.js have for MusicGen's.</summary>
/// <remarks>
/// <see cref="DecoderFile"/> takes <c>audio_codes</c> [1, batch, codebooks, frames] int64 and gives <c>audio_values</c> [batch, channels,
/// samples]; <see cref="EncoderFile"/> takes <c>input_values</c> [batch, channels, samples] and gives <c>audio_codes</c>. Where a codec
/// divides sounds by their loudness, that is <c>audio_scales</c> [1, batch, 1]. Files have opset 18 and standard operators alone.
/// </remarks>
public static class EnCodecExporter
{
    /// <summary>What the file of the decoder is called.</summary>
    public const string DecoderFile = "encodec_decode.onnx";

    /// <summary>What the file of the encoder is called.</summary>
    public const string EncoderFile = "encodec_encode.onnx";

    /// <summary>What rounding explains, in units of the loudest sample; a wrong graph is far beyond.</summary>
    private const double Bound = 1e-3;

    /// <summary>The share of codes that rounding may change.</summary>
    private const double CodeBound = 0.02;

    private const int CheckedFrames = 11;

    /// <summary>Writes the decoder and compares its sounds in ONNX Runtime with the engine's before the file gets its name.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="path">The file, which is replaced where there is one.</param>
    /// <returns>The largest difference of a sample from the engine's.</returns>
    /// <exception cref="NotSupportedException">The codec has chunks, which a graph of one sound does not join.</exception>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open the file, or computes other sounds than the
    /// engine.</exception>
    public static double ExportDecoder(EnCodecModel codec, string path)
    {
        Check(codec, path);
        using var hold = codec.Hold();
        return OnnxFile.Write(path, EnCodecGraph.Decoder(codec), "decoder", session => CompareSounds(session, codec));
    }

    /// <summary>Writes the encoder and compares its codes in ONNX Runtime with the engine's before the file gets its name.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="path">The file, which is replaced where there is one.</param>
    /// <param name="bandwidth">One of <see cref="EnCodecModel.Bandwidths"/>; the first where null.</param>
    /// <returns>The share of codes that differ from the engine's: 0 but for sounds between two codewords.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The codec has no such bandwidth.</exception>
    /// <exception cref="NotSupportedException">The codec has chunks, which a graph of one sound does not cut.</exception>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open the file, or computes other codes than the
    /// engine.</exception>
    public static double ExportEncoder(EnCodecModel codec, string path, double? bandwidth = null)
    {
        Check(codec, path);
        using var hold = codec.Hold();
        return OnnxFile.Write(
            path, EnCodecGraph.Encoder(codec, bandwidth), "encoder", session => CompareCodes(session, codec, bandwidth));
    }

    private static void Check(EnCodecModel codec, string path)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (codec.ChunkLength is not null)
        {
            throw new NotSupportedException(
                "The codec cuts sounds into chunks (chunk_length_s) and joins them again; graphs are written of codecs without chunks.");
        }
    }

    private static double CompareSounds(InferenceSession session, EnCodecModel codec)
    {
        using var scope = NewDisposeScope();
        var count = 2 * codec.CodebookCount * CheckedFrames;
        var codes = (arange(count, ScalarType.Int64) * 7919).remainder(codec.CodebookSize).view(1, 2, codec.CodebookCount, CheckedFrames);
        var scales = codec.Sizes.Normalizes ? tensor((float[])[0.5f, 1.5f]).view(1, 2, 1) : null;
        using var given = new EnCodecCodes(codes, scales);
        var expected = codec.Decode(given).cpu();
        using var codeValue = OrtValue.CreateTensorValueFromMemory(NativeTensor.AsSpan<long>(codes.contiguous()).ToArray(), codes.shape);
        using var scaleValue = scales is null ? null : OrtValue.CreateTensorValueFromMemory([0.5f, 1.5f], scales.shape);
        using var run = new RunOptions();
        using var outputs = session.Run(
            run, scaleValue is null ? [EnCodecGraph.Codes] : [EnCodecGraph.Codes, EnCodecGraph.Scales],
            scaleValue is null ? [codeValue] : [codeValue, scaleValue], [EnCodecGraph.Decoded]);
        var found = tensor(outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
        var difference = found.shape.SequenceEqual(expected.shape)
            ? (found - expected).abs().max().ToDouble() : double.PositiveInfinity;
        return difference <= Bound * Math.Max(1, expected.abs().max().ToDouble()) // NaN is not
            ? difference
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported decoder computes other sounds than the engine: a sample differs by {difference:0.000e+0}."));
    }

    private static double CompareCodes(InferenceSession session, EnCodecModel codec, double? bandwidth)
    {
        using var scope = NewDisposeScope();
        var length = CheckedFrames * codec.HopLength - codec.HopLength / 3;
        var sounds = arange(2 * codec.Channels * length, ScalarType.Float32).mul(0.37).sin().mul(0.5).view(2, codec.Channels, length);
        using var expected = codec.Encode(sounds.to(codec.Device), bandwidth: bandwidth);
        using var value = OrtValue.CreateTensorValueFromMemory(NativeTensor.AsSpan<float>(sounds).ToArray(), sounds.shape);
        using var run = new RunOptions();
        using var outputs = session.Run(run, [EnCodecGraph.Sounds], [value], [EnCodecGraph.Codes]);
        var found = tensor(outputs[0].GetTensorDataAsSpan<long>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
        var codes = expected.Codes.cpu();
        var share = found.shape.SequenceEqual(codes.shape) ? found.ne(codes).to(ScalarType.Float64).mean().ToDouble() : 1;
        return share <= CodeBound
            ? share
            : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                $"The exported encoder computes other codes than the engine: {share:P1} differ."));
    }
}
