using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs;

/// <summary>A codec of pictures: codes of a grid of places, of which a decoder makes a picture again.</summary>
/// <remarks>B: batch, H and W: a picture's height and width, F: <see cref="DownsamplingFactor"/>. Codes go row by row.</remarks>
public abstract class ImageCodec : GenerativeNetwork
{
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
}
