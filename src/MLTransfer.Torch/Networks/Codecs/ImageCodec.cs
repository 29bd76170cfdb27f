using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs;

/// <summary>A codec of pictures: codes of a grid of places, of which a decoder makes a picture again.</summary>
/// <remarks>B: batch, H and W: a picture's height and width, F: <see cref="DownsamplingFactor"/>. Codes go row by row.</remarks>
public abstract class ImageCodec : GenerativeNetwork
{
    /// <summary>Numbers of the widest tensor that pictures of a batch are computed with together, about: 256 MiB.</summary>
    private const long NumbersAtOnce = 1 << 26;

    private protected ImageCodec(string name, JsonObject configuration)
        : base(name, configuration)
    {
    }

    /// <summary>The side, in pixels, of the pictures that the codec is made for; others of a whole number of codes work too.</summary>
    public abstract int ImageSize { get; }

    /// <summary>Pixels along a code's side.</summary>
    public abstract int DownsamplingFactor { get; }

    /// <summary>Codewords: codes are less than that.</summary>
    public abstract int CodebookSize { get; }

    /// <summary>Whether there is an encoder; some checkpoints hold the decoder alone.</summary>
    public virtual bool CanEncode => true;

    /// <summary>Codes of a picture of <see cref="ImageSize"/> pixels, along its side.</summary>
    public int CodesPerSide => ImageSize / DownsamplingFactor;

    /// <summary>Codes of pictures, without gradients.</summary>
    /// <param name="images">[B, 3, H, W] in [0, 1], red, green and blue; H and W are multiples of F.</param>
    /// <returns>Int64 [B, H/F * W/F].</returns>
    /// <exception cref="ArgumentException">The shape is not such.</exception>
    /// <exception cref="NotSupportedException">There is no encoder.</exception>
    public abstract Tensor Encode(Tensor images);

    /// <summary>Pictures of codes, without gradients.</summary>
    /// <param name="codes">Int64 [B, rows * columns].</param>
    /// <param name="rows">How many rows of codes there are; the root of their number where null.</param>
    /// <returns>[B, 3, H, W] in [0, 1].</returns>
    /// <exception cref="ArgumentException">The shape is not such, or a code is none of the codebook's.</exception>
    public abstract Tensor Decode(Tensor codes, int? rows = null);

    /// <exception cref="ArgumentException">Images are not float32 [B, 3, H, W] of whole codes, or a number is NaN or infinite.</exception>
    private protected void CheckImages(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.dtype != ScalarType.Float32 || images.dim() != 4 || images.shape[1] != 3 || images.shape.Any(extent => extent < 1)
            || images.shape[2] % DownsamplingFactor != 0 || images.shape[3] % DownsamplingFactor != 0)
        {
            throw new ArgumentException(
                $"Images are {images.dtype} of shape [{string.Join(", ", images.shape)}]; expected {ScalarType.Float32} of shape "
                + $"[batch, 3, height, width], height and width multiples of {DownsamplingFactor}.", nameof(images));
        }

        using var scope = NewDisposeScope();
        if (!images.isfinite().all().item<bool>())
            throw new ArgumentException("A number of the images is NaN or infinite.", nameof(images));
    }

    /// <summary>The rows of codes.</summary>
    /// <exception cref="ArgumentException">Codes are not int64 [B, rows * columns], or one is none of the codebook's.</exception>
    private protected int CheckCodes(Tensor codes, int? rows)
    {
        ArgumentNullException.ThrowIfNull(codes);
        if (codes.dtype != ScalarType.Int64 || codes.dim() != 2 || codes.shape.Any(extent => extent < 1))
        {
            throw new ArgumentException(
                $"Codes are {codes.dtype} of shape [{string.Join(", ", codes.shape)}]; expected {ScalarType.Int64} of shape "
                + "[batch, rows * columns].", nameof(codes));
        }

        var count = codes.shape[1];
        var height = rows ?? (int)Math.Round(Math.Sqrt(count));
        if (height < 1 || (rows is null ? (long)height * height != count : count % height != 0))
        {
            throw new ArgumentException(rows is null
                ? $"{count} codes are no square; tell the number of rows." : $"{count} codes are not {rows} rows of equal length.",
                nameof(rows));
        }

        using var scope = NewDisposeScope();
        var (least, most) = (codes.min().item<long>(), codes.max().item<long>());
        return least >= 0 && most < CodebookSize ? height : throw new ArgumentException(
            $"Codes are from {least} to {most}; expected 0 to {CodebookSize - 1}.", nameof(codes));
    }

    /// <summary>Computes a batch part by part, so that its size does not decide on the memory that it takes.</summary>
    /// <param name="batch">[B, ...].</param>
    /// <param name="numbersEach">Of the widest tensor on the way, for a row of the batch.</param>
    /// <param name="compute">Makes [n, ...] of [n, ...].</param>
    private protected static Tensor InParts(Tensor batch, long numbersEach, Func<Tensor, Tensor> compute)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var size = Math.Clamp(NumbersAtOnce / numbersEach, 1, batch.shape[0]);
        var parts = new List<Tensor>();
        for (var start = 0L; start < batch.shape[0]; start += size)
        {
            using var inner = NewDisposeScope();
            parts.Add(compute(batch.narrow(0, start, Math.Min(size, batch.shape[0] - start))).MoveToOuterDisposeScope());
        }

        return (parts.Count == 1 ? parts[0] : cat(parts, 0)).MoveToOuterDisposeScope();
    }
}
