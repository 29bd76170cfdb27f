using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>A norm by the root of the mean square, as TorchSharp's users write it.</summary>
internal sealed class PlainRootMeanSquareNorm : nn.Module<Tensor, Tensor>
{
    private readonly double _epsilon;

    public PlainRootMeanSquareNorm(long width, double epsilon)
        : base(nameof(PlainRootMeanSquareNorm))
    {
        _epsilon = epsilon;
        register_parameter("weight", new Parameter(ones(width)));
    }

    public Parameter Weight => get_parameter("weight")!;

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return (input * rsqrt(input.square().mean([-1], keepdim: true) + _epsilon) * Weight).MoveToOuterDisposeScope();
    }
}
