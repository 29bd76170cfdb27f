using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>A linear layer that may get a low-rank adapter, as users write it.</summary>
internal sealed class PlainLinear : nn.Module<Tensor, Tensor>
{
    private readonly Linear _layer;
    private Parameter? _down;
    private Parameter? _up;

    public PlainLinear(long inputs, long outputs, bool hasBias = true)
        : base(nameof(PlainLinear))
    {
        _layer = nn.Linear(inputs, outputs, hasBias);
        RegisterComponents();
    }

    public Parameter Weight => _layer.weight!;

    public Parameter? Bias => _layer.bias;

    public void Adapt(int rank)
    {
        _down = new Parameter(randn(rank, Weight.shape[1]) * 0.02);
        _up = new Parameter(zeros(Weight.shape[0], rank));
        register_parameter("down", _down);
        register_parameter("up", _up);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var output = _layer.call(input);
        if (_down is not null)
            output = output + F.linear(F.linear(input, _down), _up!);
        return output.MoveToOuterDisposeScope();
    }
}
