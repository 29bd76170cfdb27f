using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>
/// The layers of one resolution: two convolutions (one at 4x4, on a learned constant) and the block's addition to the image.
/// </summary>
internal sealed class SynthesisBlock : NamedModule
{
    private readonly SynthesisLayer? _first;
    private readonly SynthesisLayer _second;
    private readonly ToRgbLayer _toRgb;

    /// <param name="weights">The block's scope.</param>
    /// <param name="sizes">Of the generator.</param>
    /// <param name="resolution">4, 8 ...</param>
    public SynthesisBlock(WeightScope weights, StyleGan2Configuration.GeneratorSizes sizes, int resolution)
        : base(nameof(SynthesisBlock))
    {
        var (channels, clamp) = (sizes.Synthesis.Channels(resolution), sizes.Synthesis.Clamp);
        if (resolution == 4)
        {
            Constant = weights.Take("const", Initialization.Normal(1), channels, 4, 4);
            register_parameter("const", Constant);
        }
        else
        {
            _first = new SynthesisLayer(
                weights.Scope("conv0"), sizes.Synthesis.Channels(resolution / 2), channels, sizes.StyleWidth, resolution,
                doubles: true, clamp);
            register_module("conv0", _first);
        }

        _second = new SynthesisLayer(weights.Scope("conv1"), channels, channels, sizes.StyleWidth, resolution, doubles: false, clamp);
        _toRgb = new ToRgbLayer(weights.Scope("torgb"), channels, sizes.ImageChannels, sizes.StyleWidth, clamp);
        register_module("conv1", _second);
        register_module("torgb", _toRgb);
        this.TakeResampleFilter(weights);
    }

    /// <summary>What the network starts from, [C, 4, 4]; null in all blocks but the first.</summary>
    public Parameter? Constant { get; }

    /// <summary>
    /// How many styles the convolutions take. The layer to RGB takes the one after, which is also the next block's first.
    /// </summary>
    public int ConvolutionCount => _first is null ? 1 : 2;

    /// <summary>The noise maps of the convolutions, [R, R], by their names.</summary>
    public IEnumerable<(string Name, Tensor Map)> NoiseMaps => _first is null
        ? [("conv1", _second.ConstantNoise)]
        : [("conv0", _first.ConstantNoise), ("conv1", _second.ConstantNoise)];

    /// <summary>Takes features [N, C', R/2, R/2] and image [N, 3, R/2, R/2] to the block's resolution R.</summary>
    /// <param name="features">Of the block before; for the first, its <see cref="Constant"/> for every image.</param>
    /// <param name="image">Of the block before; null for the first.</param>
    /// <param name="styles">w of this block's convolutions and of its layer to RGB, each [N, width].</param>
    /// <param name="noise">The noise of the pass.</param>
    public (Tensor Features, Tensor Image) Forward(Tensor features, Tensor? image, ReadOnlySpan<Tensor> styles, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var input = _first is null ? features : _first.Forward(features, styles[0], noise);
        var output = _second.Forward(input, styles[^2], noise);
        var rgb = _toRgb.Forward(output, styles[^1]);
        if (image is not null)
            rgb = rgb + Resampling.Double(image);
        return (output.MoveToOuterDisposeScope(), rgb.MoveToOuterDisposeScope());
    }
}
