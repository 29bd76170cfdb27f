using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>x + proj(attention(norm(x))): each pixel attends to all, with one head as wide as there are feature maps.</summary>
internal sealed class AttentionBlock : nn.Module<Tensor, Tensor>
{
    private readonly GroupNormalization _norm;
    private readonly ImageConvolution _query;
    private readonly ImageConvolution _key;
    private readonly ImageConvolution _value;
    private readonly ImageConvolution _output;

    public AttentionBlock(WeightScope weights, VqganConfiguration configuration, int channels)
        : base(nameof(AttentionBlock))
    {
        register_module("norm", _norm = new(weights.Scope("norm"), channels, configuration.Epsilon));
        register_module("q", _query = new(weights.Scope("q"), channels, channels, kernel: 1));
        register_module("k", _key = new(weights.Scope("k"), channels, channels, kernel: 1));
        register_module("v", _value = new(weights.Scope("v"), channels, channels, kernel: 1));
        register_module("proj_out", _output = new(weights.Scope("proj_out"), channels, channels, kernel: 1));
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var normalized = _norm.call(x);
        var attended = F.scaled_dot_product_attention(                                             // divides by the root of the channels
            Pixels(_query.call(normalized)), Pixels(_key.call(normalized)), Pixels(_value.call(normalized)));
        return (x + _output.call(attended.transpose(2, 3).reshape(x.shape))).MoveToOuterDisposeScope();

        static Tensor Pixels(Tensor maps) => maps.flatten(2).transpose(1, 2).unsqueeze(1);         // [B, 1, H W, channels]
    }

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
