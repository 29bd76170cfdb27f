using System.Runtime.InteropServices;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Images;

/// <summary>
/// Makes codes of pictures, and keeps them in a folder: a file for each picture, whose name is made of the picture's pixels and of the
/// codec's weights. A picture is encoded once; with another codec it is encoded anew.
/// </summary>
/// <remarks>Several threads, and processes, may use a folder at once; a file in it that is damaged is made again.</remarks>
public sealed class ImageCodeCache
{
    private readonly TextToImageModel _model;
    private readonly CodeCache _cache;

    /// <param name="model">Has the codec; it stays the caller's.</param>
    /// <param name="folder">Where codes are kept, such as a folder of the run's; null for nowhere.</param>
    /// <exception cref="NotSupportedException">The codec has no encoder.</exception>
    public ImageCodeCache(TextToImageModel model, string? folder)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!model.Codec.CanEncode)
        {
            throw new NotSupportedException(
                $"The codec of {model.GetName()} has no encoder, which makes codes of pictures: its checkpoint holds the decoder alone. "
                + "Put the encoder's weights beside it.");
        }

        _model = model;
        Side = model.CodesPerSide * model.Codec.DownsamplingFactor;
        _cache = new(folder, model.Codec.ComputeFingerprint, codes => codes is [var row] && row.Length == CodeCount
            && row.All(code => (uint)code < (uint)model.CodebookSize));
    }

    /// <summary>Pixels along the side of a picture.</summary>
    public int Side { get; }

    /// <summary>How many pictures this object has encoded, those left out that were in the folder.</summary>
    internal int EncodedPictures => _cache.EncodedCount;

    private int CodeCount => _model.CodesPerSide * _model.CodesPerSide;

    /// <summary>The codes of a picture, row by row.</summary>
    /// <param name="pixels">[3, <see cref="Side"/>, <see cref="Side"/>]: red, green and blue plane, from 0 to 1.</param>
    /// <exception cref="ArgumentException">There are more or fewer values, or such that are not from 0 to 1.</exception>
    /// <exception cref="IOException">The codes cannot be kept, for example because the disk is full.</exception>
    public int[] Encode(float[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.Length != 3 * Side * Side)
        {
            throw new ArgumentException(
                $"The picture has {pixels.Length} values; expected {3 * Side * Side}, red, green and blue plane of {Side} x {Side} "
                + "pixels.", nameof(pixels));
        }

        if (pixels.Any(value => value is not (>= 0 and <= 1)))
            throw new ArgumentException("The picture has values that are not from 0 to 1.", nameof(pixels));
        using var hold = _model.Hold();
        return _cache.Find($"picture {Side}", hash => hash.AppendData(MemoryMarshal.AsBytes<float>(pixels)), () => [EncodeNew(pixels)])[0];
    }

    private int[] EncodeNew(float[] pixels)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var codes = _model.Codec.Encode(tensor(pixels, [1, 3, Side, Side], device: _model.Codec.Device)).cpu().contiguous(); // [1, S]
        return Array.ConvertAll(NativeTensor.AsSpan<long>(codes).ToArray(), code => (int)code);
    }
}
