using static TorchSharp.torch;

namespace Numbers.Data;

/// <summary>A module as a user writes one: [batch, 3, 8, 8] to [batch, 6].</summary>
internal sealed class ConvolutionalModule : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Conv2d convolution = FirstLayer();
    private readonly TorchSharp.Modules.BatchNorm2d normalization = nn.BatchNorm2d(4);
    private readonly TorchSharp.Modules.Linear dense = nn.Linear(256, 6);

    public ConvolutionalModule() : base(nameof(ConvolutionalModule)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return dense.call(normalization.call(convolution.call(input)).relu().flatten(1)).MoveToOuterDisposeScope();
    }

    private static TorchSharp.Modules.Conv2d FirstLayer()
    {
        manual_seed(3);
        return nn.Conv2d(3, 4, 3, padding: 1);
    }
}
