using static TorchSharp.torch;

namespace MLTransfer.Tests.Networks;

/// <summary>A network as a user writes one: [batch, 3, 16, 16] to [batch, 8].</summary>
public sealed class OwnModule : nn.Module<Tensor, Tensor>
{
    private readonly TorchSharp.Modules.Conv2d convolution = nn.Conv2d(3, 8, 3, stride: 2);

    /// <summary>Random weights.</summary>
    public OwnModule() : base(nameof(OwnModule)) => RegisterComponents();

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return convolution.call(input).relu().mean([2, 3]).MoveToOuterDisposeScope();
    }
}
