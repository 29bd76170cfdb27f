using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The residual discriminator of StyleGAN2 (arXiv 1912.04958, figure 7c).</summary>
/// <remarks>Parameters carry the names of the authors' PyTorch release (<c>b32.conv0.weight</c>). N: batch, R: resolution.</remarks>
public sealed class StyleGan2Discriminator : nn.Module
{
    private readonly StyleGan2Configuration.DiscriminatorSizes _sizes;
    private readonly List<DiscriminatorBlock> _blocks = [];
    private readonly MappingNetwork? _mapping;
    private readonly DiscriminatorEpilogue _epilogue;

    internal StyleGan2Discriminator(StyleGan2Configuration.DiscriminatorSizes sizes, WeightSource weights)
        : base(nameof(StyleGan2Discriminator))
    {
        _sizes = sizes;
        foreach (var resolution in StyleGan2Configuration.Resolutions(sizes.ImageResolution).Where(r => r > 4).Reverse())
        {
            var block = new DiscriminatorBlock(weights.Scope($"b{resolution}"), sizes, resolution);
            _blocks.Add(block);
            register_module($"b{resolution}", block);
        }

        var mappedLabelWidth = sizes.LabelWidth > 0 ? sizes.MappedLabelWidth ?? sizes.Channels(4) : 0;
        if (mappedLabelWidth > 0)
        {
            _mapping =
                new MappingNetwork(weights.Scope("mapping"), 0, sizes.LabelWidth, mappedLabelWidth, sizes.Mapping, keepsAverage: false);
            register_module("mapping", _mapping);
        }

        _epilogue = new DiscriminatorEpilogue(weights.Scope("b4"), sizes, mappedLabelWidth);
        register_module("b4", _epilogue);
    }

    /// <summary>The width and height of images, in pixels.</summary>
    public int ImageResolution => _sizes.ImageResolution;

    /// <summary>3 for RGB.</summary>
    public int ImageChannels => _sizes.ImageChannels;

    /// <summary>The width of a label vector; 0 where there are none.</summary>
    public int LabelWidth => _sizes.LabelWidth;

    /// <summary>The width of <see cref="Features"/>.</summary>
    public int FeatureWidth => _sizes.Channels(4);

    /// <summary>The calls that use the weights; of all parts of a model together.</summary>
    internal UseCount Uses { get; set; } = new();

    /// <summary>The type that features are computed in; null for float32. The last block and the weights stay in float32.</summary>
    internal ScalarType? ComputeType { get; set; }

    /// <summary>The name prefix of the block of a resolution, such as <c>b32.</c>.</summary>
    internal static string BlockPrefix(int resolution) => $"b{resolution}.";

    /// <summary>How many images the minibatch standard deviation compares with each other.</summary>
    public int GroupSize => _sizes.Epilogue.GroupSize;

    /// <summary>How real images look: logits, positive for "real".</summary>
    /// <param name="images">[N, <see cref="ImageChannels"/>, R, R], -1 for black and 1 for white. Images are also compared with others of
    /// their batch.</param>
    /// <param name="labels">[N, <see cref="LabelWidth"/>]; null where there are none.</param>
    /// <returns>[N, 1].</returns>
    /// <exception cref="ArgumentException">A shape is wrong.</exception>
    public Tensor Forward(Tensor images, Tensor? labels = null)
    {
        using var hold = Uses.Begin(GetType());
        CheckImages(images);
        LabelCheck.Check(labels, images.shape[0], LabelWidth);
        using var scope = NewDisposeScope();
        return _epilogue.Forward(Blocks(images), _mapping?.Forward(null, labels)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The last hidden layer, without the comparison with other images of the batch: features for distances between sets of images.
    /// </summary>
    /// <param name="images">[N, <see cref="ImageChannels"/>, R, R], -1 for black and 1 for white.</param>
    /// <returns>[N, <see cref="FeatureWidth"/>].</returns>
    /// <exception cref="ArgumentException">The shape is wrong.</exception>
    public Tensor Features(Tensor images)
    {
        using var hold = Uses.Begin(GetType());
        CheckImages(images);
        using var scope = NewDisposeScope();
        return _epilogue.Features(Blocks(images)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }

    private Tensor Blocks(Tensor images) =>
        _blocks.Aggregate(images.to(ComputeType ?? images.dtype), static (features, block) => block.Forward(features)).to(images.dtype);

    private void CheckImages(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.dim() != 4 || images.shape[1] != ImageChannels || images.shape[2] != ImageResolution
            || images.shape[3] != ImageResolution)
        {
            throw new ArgumentException($"Images have shape [{string.Join(", ", images.shape)}]; "
                + $"expected [N, {ImageChannels}, {ImageResolution}, {ImageResolution}].", nameof(images));
        }
    }
}
