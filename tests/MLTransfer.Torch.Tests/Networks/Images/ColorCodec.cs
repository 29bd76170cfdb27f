using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Codecs;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Images;

/// <summary>A codec whose code is the nearest of eight colours to the mean of 2 x 2 pixels.</summary>
internal sealed class ColorCodec : ImageCodec
{
    public const int Colors = 8, Factor = 2, Side = 8;

    private readonly Parameter _colors; // [8, 3]

    public ColorCodec(WeightScope weights)
        : base("colors", [])
    {
        _colors = weights.Take("colors", Initialization.Zeros, Colors, 3);
        register_parameter("colors", _colors);
        eval();
    }

    /// <summary>The corners of the cube of colours.</summary>
    public static Tensor Corners => tensor(
        Enumerable.Range(0, Colors).SelectMany(code => new[] { code & 1, code >> 1 & 1, code >> 2 & 1 }).Select(v => (float)v).ToArray(),
        [Colors, 3]);

    public override int ImageSize => Side;

    public override int DownsamplingFactor => Factor;

    public override int CodebookSize => Colors;

    public override Tensor Encode(Tensor images)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var means = nn.functional.avg_pool2d(images, Factor).flatten(2).transpose(1, 2); // [B, S, 3]
        return (means.unsqueeze(2) - _colors).square().sum(-1).argmin(-1).MoveToOuterDisposeScope();
    }

    public override Tensor Decode(Tensor codes, int? rows = null)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var height = rows ?? (int)Math.Sqrt(codes.shape[1]);
        var pixels = _colors.index_select(0, codes.reshape(-1)).clamp(0, 1).view(codes.shape[0], height, -1, 3).permute(0, 3, 1, 2);
        return pixels.repeat_interleave(Factor, 2).repeat_interleave(Factor, 3).MoveToOuterDisposeScope();
    }
}
