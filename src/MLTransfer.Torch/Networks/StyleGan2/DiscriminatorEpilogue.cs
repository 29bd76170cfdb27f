using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The discriminator's last block, at 4x4: minibatch standard deviation, a convolution and two linear layers.</summary>
internal sealed class DiscriminatorEpilogue : NamedModule
{
    private readonly StyleGan2Configuration.EpilogueSizes _sizes;
    private readonly EqualizedConvolution _convolution;
    private readonly EqualizedLinear _hidden;
    private readonly EqualizedLinear _output;

    /// <param name="weights">The block's scope.</param>
    /// <param name="sizes">Of the discriminator.</param>
    /// <param name="mappedLabelWidth">The width that labels are mapped to; 0 where there are none.</param>
    public DiscriminatorEpilogue(WeightScope weights, StyleGan2Configuration.DiscriminatorSizes sizes, int mappedLabelWidth)
        : base(nameof(DiscriminatorEpilogue))
    {
        _sizes = sizes.Epilogue;
        var channels = sizes.Channels(4);
        _convolution = new EqualizedConvolution(
            weights.Scope("conv"), channels + _sizes.DeviationChannels, channels, kernel: 3, activates: true, clamp: sizes.Clamp);
        _hidden = new EqualizedLinear(weights.Scope("fc"), channels * 4 * 4, channels, activates: true);
        _output = new EqualizedLinear(weights.Scope("out"), channels, mappedLabelWidth == 0 ? 1 : mappedLabelWidth);
        register_module("conv", _convolution);
        register_module("fc", _hidden);
        register_module("out", _output);
    }

    /// <summary>[N, C, 4, 4] to logits [N, 1].</summary>
    /// <param name="input">The last block's features.</param>
    /// <param name="mappedLabels">[N, width]; null where there are none.</param>
    public Tensor Forward(Tensor input, Tensor? mappedLabels)
    {
        using var scope = NewDisposeScope();
        var output = _output.Forward(Hidden(input, MinibatchDeviation(input)));

        // Labels are judged by projection (arXiv 1802.05637).
        if (mappedLabels is not null)
            output = (output * mappedLabels).sum(1, keepdim: true) / Math.Sqrt(mappedLabels.shape[1]);
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The last hidden layer for [N, C, 4, 4], with the deviation at 0, so that a row depends on its image alone: [N, C].
    /// </summary>
    public Tensor Features(Tensor input)
    {
        using var scope = NewDisposeScope();
        return Hidden(input, zeros([input.shape[0], _sizes.DeviationChannels, 4, 4], input.dtype, input.device)).MoveToOuterDisposeScope();
    }

    private Tensor Hidden(Tensor input, Tensor deviation) => _hidden.Forward(_convolution.Forward(cat([input, deviation], 1)).flatten(1));

    /// <summary>
    /// How much features vary over a group of images, as channels that say so to every image of the group (arXiv 1710.10196, section 3):
    /// [N, deviation channels, 4, 4].
    /// </summary>
    private Tensor MinibatchDeviation(Tensor input)
    {
        var (batch, channels, height, width) = (input.shape[0], input.shape[1], input.shape[2], input.shape[3]);
        var group = Math.Min(_sizes.GroupSize, batch);
        while (batch % group != 0)
            group--; // a batch that groups do not divide; training refuses it
        var (groups, parts) = (batch / group, _sizes.DeviationChannels);

        // Images of a group are those whose numbers leave the same rest.
        var grouped = input.view(group, groups, parts, channels / parts, height, width);
        var centered = grouped - grouped.mean([0], keepdim: true);
        var deviation = (centered.square().mean([0]) + 1e-8).sqrt().mean([2, 3, 4]); // [groups, parts]
        return deviation.view(1, groups, parts, 1, 1).expand(group, -1, -1, height, width).reshape(batch, parts, height, width);
    }
}
