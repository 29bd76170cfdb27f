using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>The discrete VAE of dalle-pytorch, the open replication of DALL-E, with the names of its checkpoints.</summary>
internal sealed class ReplicatedVae : DiscreteVaeLayout
{
    /// <summary>What a convolution's weight and bias are called.</summary>
    public static readonly (string Weight, string Bias) Names = ("weight", "bias");

    private readonly ReplicatedVaeStack _encoder;
    private readonly Embedding _codebook;
    private readonly ReplicatedVaeStack _decoder;
    private readonly (IReadOnlyList<double> Means, IReadOnlyList<double> Deviations)? _normalization;

    private ReplicatedVae(WeightSource weights, ReplicatedVaeConfiguration configuration, Embedding codebook)
    {
        _normalization = configuration.Normalizes;
        _encoder = ReplicatedVaeStack.Encoder(weights.Scope("encoder"), configuration);
        _codebook = codebook;
        _decoder = ReplicatedVaeStack.Decoder(weights.Scope("decoder"), configuration);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, nn.Module Module)> Modules =>
        [("encoder", _encoder), ("codebook", _codebook), ("decoder", _decoder)];

    /// <inheritdoc/>
    public override bool HasScale => false;

    /// <inheritdoc/>
    public override bool HasMargin => false;

    /// <inheritdoc/>
    public override bool SumsDivergence => true;

    public static ReplicatedVae Of(WeightSource weights, ReplicatedVaeConfiguration c) => new(
        weights, c, new Embedding(weights.Scope("codebook"), c.CodebookSize, c.CodebookWidth, Initialization.Normal(1)))
    {
        ImageSize = c.ImageSize,
        DownsamplingFactor = 1 << c.Layers,
        CodebookSize = c.CodebookSize,
        NumbersPerPixel = Math.Max(3, Math.Max(c.HiddenWidth, Math.Max(c.CodebookSize, c.CodebookWidth) >> (2 * c.Layers))),
        KeptPerPixel = Kept(c),
        Objective = c.Objective,
    };

    /// <summary>Of encoder and decoder: what each convolution gives, and in residual blocks two more.</summary>
    private static double Kept(ReplicatedVaeConfiguration c) => 6 + Enumerable.Range(1, c.Layers).Sum(layer =>
        c.HiddenWidth / Math.Pow(4, layer - 1) + c.HiddenWidth / Math.Pow(4, layer)
        + (layer == c.Layers ? (8.0 * c.ResidualBlocks * c.HiddenWidth + 2 * c.CodebookWidth) / Math.Pow(4, layer) : 0));

    /// <inheritdoc/>
    public override Tensor Normalize(Tensor images)
    {
        if (_normalization is not var (means, deviations))
            return images.alias();
        using var scope = NewDisposeScope();
        return ((images - Channels(means, images)) / Channels(deviations, images)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Logits(Tensor input) => _encoder.Forward(input);

    /// <inheritdoc/>
    public override Tensor Decode(Tensor weights)
    {
        using var scope = NewDisposeScope();
        var vectors = weights.permute(0, 2, 3, 1).matmul(_codebook.Weight); // [B, h, w, D]
        return _decoder.Forward(vectors.permute(0, 3, 1, 2).contiguous()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor DecodeCodes(Tensor codes)
    {
        using var scope = NewDisposeScope();
        return _decoder.Forward(_codebook.forward(codes).permute(0, 3, 1, 2).contiguous()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Prediction(Tensor output) => output.alias();

    /// <inheritdoc/>
    public override Tensor ToImages(Tensor output)
    {
        using var scope = NewDisposeScope();
        var images = _normalization is var (means, deviations)
            ? output * Channels(deviations, output) + Channels(means, output) : output;
        return images.clamp(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>A number for each channel: [1, 3, 1, 1].</summary>
    private static Tensor Channels(IReadOnlyList<double> numbers, Tensor like) =>
        tensor(numbers.Select(static number => (float)number).ToArray(), device: like.device).view(1, 3, 1, 1);
}
