using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>A transformer block with norms after its parts, whose feed-forward network is two convolutions.</summary>
internal sealed class TextEncoderLayer : NamedModule
{
    private readonly VitsConfiguration _configuration;
    private readonly DropoutSource _dropout;

    public TextEncoderLayer(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(TextEncoderLayer))
    {
        (_configuration, _dropout) = (c, dropout);
        Attention = new RelativeAttention(weights.Scope("attention"), c, dropout);
        AttentionNorm = new Normalization(weights.Scope("layer_norm"), NormKind.Layer, c.HiddenWidth, c.NormEpsilon);
        First = new TimeConvolution(weights.Scope("feed_forward.conv_1"), c.HiddenWidth, c.InnerWidth, c.InnerKernel);
        Second = new TimeConvolution(weights.Scope("feed_forward.conv_2"), c.InnerWidth, c.HiddenWidth, c.InnerKernel);
        FinalNorm = new Normalization(weights.Scope("final_layer_norm"), NormKind.Layer, c.HiddenWidth, c.NormEpsilon);
        register_module("attention", Attention);
        register_module("layer_norm", AttentionNorm);
        ModuleNode.Add(this, "feed_forward.conv_1", First);
        ModuleNode.Add(this, "feed_forward.conv_2", Second);
        register_module("final_layer_norm", FinalNorm);
    }

    public RelativeAttention Attention { get; }

    public Normalization AttentionNorm { get; }

    public TimeConvolution First { get; }

    public TimeConvolution Second { get; }

    public Normalization FinalNorm { get; }

    /// <summary>[N, T, width] to the same shape.</summary>
    /// <param name="input">The hidden states.</param>
    /// <param name="mask">[N, T, 1]: 1 for characters, 0 for padding.</param>
    /// <param name="unseen">[N, 1, 1, T] bool: positions of padding.</param>
    public Tensor Forward(Tensor input, Tensor mask, Tensor unseen)
    {
        using var scope = NewDisposeScope();
        var attended = _dropout.Apply(Attention.Forward(input, unseen), _configuration.HiddenDropout, training);
        var hidden = AttentionNorm.call(input + attended);
        var columns = mask.transpose(1, 2); // [N, 1, T]
        var inner = ActivationFunction.Apply(
            _configuration.InnerActivation, First.Forward(hidden.transpose(1, 2) * columns)); // [N, inner width, T]
        inner = _dropout.Apply(inner, _configuration.ActivationDropout, training);
        var fed = (Second.Forward(inner * columns) * columns).transpose(1, 2);
        return FinalNorm.call(hidden + _dropout.Apply(fed, _configuration.HiddenDropout, training)).MoveToOuterDisposeScope();
    }
}
