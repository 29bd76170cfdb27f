using System.Globalization;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>The encoder or the decoder: a convolution, groups of blocks between which a picture changes its size, and a
/// convolution.</summary>
internal sealed class DalleVaeStack : NamedModule
{
    private readonly Convolution _input;
    private readonly List<DalleVaeBlock[]> _groups = [];
    private readonly Convolution _output;
    private readonly Func<Tensor, Tensor> _resize;

    /// <param name="weights">Has <c>blocks.input</c>, <c>blocks.group_1.block_1</c> and so on, <c>blocks.output.conv</c>.</param>
    /// <param name="input">The first convolution: feature maps of its input and output, and its kernel.</param>
    /// <param name="widths">Feature maps of each group.</param>
    /// <param name="blocks">Of a group.</param>
    /// <param name="kernels">Of a block's convolutions.</param>
    /// <param name="output">Feature maps of the output.</param>
    /// <param name="resize">Between two groups.</param>
    private DalleVaeStack(
        WeightScope weights, (int Maps, int Width, int Kernel) input, IReadOnlyList<int> widths, int blocks, ReadOnlySpan<int> kernels,
        int output, Func<Tensor, Tensor> resize)
        : base(nameof(DalleVaeStack))
    {
        _resize = resize;
        _input = new Convolution(weights.Scope("blocks.input"), DalleVae.Names, input.Maps, input.Width, input.Kernel, gain: 1);
        ModuleNode.Add(this, "blocks.input", _input);
        var width = input.Width;
        foreach (var (number, groupWidth) in widths.Index())
        {
            var group = new DalleVaeBlock[blocks];
            for (var block = 0; block < blocks; block++)
            {
                var place = string.Create(CultureInfo.InvariantCulture, $"blocks.group_{number + 1}.block_{block + 1}");
                group[block] = new DalleVaeBlock(weights.Scope(place), width, groupWidth, kernels, widths.Count * blocks);
                ModuleNode.Add(this, place, group[block]);
                width = groupWidth;
            }

            _groups.Add(group);
        }

        _output = new Convolution(weights.Scope("blocks.output.conv"), DalleVae.Names, width, output, kernel: 1, gain: 1);
        ModuleNode.Add(this, "blocks.output.conv", _output);
    }

    /// <summary>[B, 3, H, W] to logits [B, V, h, w].</summary>
    public static DalleVaeStack Encoder(WeightScope weights, DalleVaeConfiguration c) => new(
        weights, (3, c.EncoderWidth, 7), [.. Enumerable.Range(0, c.Groups).Select(group => c.EncoderWidth << group)], c.EncoderBlocks,
        [3, 3, 3, 1], c.CodebookSize, static maps => F.max_pool2d(maps, 2, 2));

    /// <summary>[B, V, h, w] to [B, 6, H, W]: a mean and the logarithm of a scale for each value.</summary>
    public static DalleVaeStack Decoder(WeightScope weights, DalleVaeConfiguration c) => new(
        weights, (c.CodebookSize, c.DecoderInputWidth, 1),
        [.. Enumerable.Range(0, c.Groups).Select(group => c.DecoderWidth << (c.Groups - 1 - group))], c.DecoderBlocks, [1, 3, 3, 3],
        output: 6, static maps => F.interpolate(maps, scale_factor: [2, 2], mode: InterpolationMode.Nearest));

    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return Continue(_input.Forward(input)).MoveToOuterDisposeScope();
    }

    /// <summary>The same of one-hot inputs, by the numbers of their maps: [B, h, w].</summary>
    public Tensor Look(Tensor places)
    {
        using var scope = NewDisposeScope();
        return Continue(_input.Look(places)).MoveToOuterDisposeScope();
    }

    private Tensor Continue(Tensor maps)
    {
        foreach (var (number, group) in _groups.Index())
        {
            using var scope = NewDisposeScope();
            var inside = number == 0 ? maps : _resize(maps);
            foreach (var block in group)
                inside = block.Forward(inside);
            maps = inside.MoveToOuterDisposeScope();
        }

        return _output.Forward(maps.relu());
    }
}
