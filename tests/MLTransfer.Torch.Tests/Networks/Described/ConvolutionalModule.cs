using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Described;

/// <summary>A module as a user writes one: [batch, 3, 4, 4] to [batch, 6].</summary>
internal sealed class ConvolutionalModule : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Conv2d convolution = FirstLayer();
    private readonly TorchSharp.Modules.BatchNorm2d normalization = nn.BatchNorm2d(4);
    private readonly TorchSharp.Modules.Linear dense = nn.Linear(64, 6);

    public ConvolutionalModule() : base(nameof(ConvolutionalModule)) => RegisterComponents();

    /// <summary>Rows that went through.</summary>
    public long Rows { get; set; }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Rows += input.shape[0];
        return dense.call(normalization.call(convolution.call(input)).relu().flatten(1)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The weights of all layers are drawn after this seed: how well a frozen network can be built upon must not be chance.
    /// </summary>
    private static TorchSharp.Modules.Conv2d FirstLayer()
    {
        manual_seed(3);
        return nn.Conv2d(3, 4, 3, padding: 1);
    }
}
