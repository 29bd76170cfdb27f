using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>Makes images from styles: blocks of doubling resolution whose RGB outputs add up (arXiv 1912.04958, figure 7b).</summary>
internal sealed class SynthesisNetwork : NamedModule
{
    private readonly List<(string Name, SynthesisBlock Block)> _blocks = [];

    public SynthesisNetwork(WeightScope weights, StyleGan2Configuration.GeneratorSizes sizes)
        : base(nameof(SynthesisNetwork))
    {
        foreach (var resolution in StyleGan2Configuration.Resolutions(sizes.ImageResolution))
        {
            var block = new SynthesisBlock(weights.Scope($"b{resolution}"), sizes, resolution);
            _blocks.Add(($"b{resolution}", block));
            register_module($"b{resolution}", block);
        }
    }

    /// <summary>The type that features are computed in; null for that of the weights. Styles and image keep the latter.</summary>
    public ScalarType? ComputeType { get; set; }

    /// <summary>The noise maps of all layers, [R, R], in their order: <c>b4.conv1</c>, <c>b8.conv0</c> and so on.</summary>
    public IReadOnlyList<(string Name, Tensor Map)> NoiseMaps =>
        [.. _blocks.SelectMany(block => block.Block.NoiseMaps, (block, layer) => ($"{block.Name}.{layer.Name}", layer.Map))];

    /// <summary>w [N, styles, width] to images [N, channels, R, R].</summary>
    public Tensor Forward(Tensor w, NoiseSource noise)
    {
        using var scope = NewDisposeScope();
        var styles = w.unbind(1); // [N, width] each
        var constant = _blocks[0].Block.Constant!;
        var features = constant.to(ComputeType ?? constant.dtype).expand(w.shape[0], -1, -1, -1); // [N, C, 4, 4]
        Tensor? image = null;
        var next = 0;
        foreach (var (_, block) in _blocks)
        {
            (features, image) = block.Forward(features, image, styles.AsSpan(next, block.ConvolutionCount + 1), noise);
            next += block.ConvolutionCount;
        }

        return image!.MoveToOuterDisposeScope();
    }
}
