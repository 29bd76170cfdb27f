using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>DALL-E's discrete VAE (arXiv 2102.12092, appendix A), with the names of its authors' release.</summary>
internal sealed class DalleVae : DiscreteVaeLayout
{
    /// <summary>What a convolution's weight and bias are called.</summary>
    public static readonly (string Weight, string Bias) Names = ("w", "b");

    private readonly DalleVaeStack _encoder;
    private readonly DalleVaeStack _decoder;
    private readonly double _margin;

    private DalleVae(WeightSource weights, DalleVaeConfiguration configuration)
    {
        _margin = configuration.Margin;
        _encoder = DalleVaeStack.Encoder(weights.Scope("encoder"), configuration);
        _decoder = DalleVaeStack.Decoder(weights.Scope("decoder"), configuration);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, nn.Module Module)> Modules => [("encoder", _encoder), ("decoder", _decoder)];

    /// <inheritdoc/>
    public override bool HasScale => true;

    /// <inheritdoc/>
    public override bool HasMargin => _margin > 0;

    /// <inheritdoc/>
    public override bool SumsDivergence => false;

    public static DalleVae Of(WeightSource weights, DalleVaeConfiguration c) => new(weights, c)
    {
        ImageSize = c.ImageSize,
        DownsamplingFactor = 1 << (c.Groups - 1),
        CodebookSize = c.CodebookSize,
        NumbersPerPixel = Math.Max(Math.Max(c.EncoderWidth, c.DecoderWidth), c.CodebookSize >> (2 * (c.Groups - 1))),
        KeptPerPixel = Kept(c.EncoderWidth, c.EncoderBlocks, c.Groups) + Kept(c.DecoderWidth, c.DecoderBlocks, c.Groups),
        Objective = new(),
    };

    /// <summary>Of an encoder or a decoder: a block keeps its sum, what is positive of its input, and seven tensors of a quarter of its
    /// width.</summary>
    private static double Kept(int width, int blocks, int groups) => Enumerable.Range(0, groups)
        .Sum(group => (double)(width << group) / (1 << (2 * group)) * (blocks * (3 + 7 / 4.0) + 2));

    /// <inheritdoc/>
    public override Tensor Normalize(Tensor images)
    {
        using var scope = NewDisposeScope();
        return (images * (1 - 2 * _margin) + _margin).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Logits(Tensor input) => _encoder.Forward(input);

    /// <inheritdoc/>
    public override Tensor Decode(Tensor weights) => _decoder.Forward(weights);

    /// <inheritdoc/>
    public override Tensor DecodeCodes(Tensor codes) => _decoder.Look(codes);

    /// <inheritdoc/>
    public override Tensor Prediction(Tensor output)
    {
        using var scope = NewDisposeScope();
        return output.narrow(1, 0, 3).sigmoid().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor ToImages(Tensor output)
    {
        using var scope = NewDisposeScope();
        return ((Prediction(output) - _margin) / (1 - 2 * _margin)).clamp(0, 1).MoveToOuterDisposeScope();
    }
}
