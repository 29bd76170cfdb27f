using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>Layers of long short-term memory of one width, one over the other (Hochreiter and Schmidhuber 1997, with forget gates).</summary>
/// <remarks>Gates are stored in the order input, forget, cell, output. T: steps, B: batch, W: width.</remarks>
internal sealed class LongShortTermMemory : NamedModule
{
    private readonly int _width;
    private readonly Layer[] _layers;

    /// <param name="weights">Has <c>weight_ih_l0</c> [4 W, W], <c>weight_hh_l0</c> [4 W, W], <c>bias_ih_l0</c> and <c>bias_hh_l0</c> [4 W],
    /// and so on for further layers.</param>
    /// <param name="width">Of input and output.</param>
    /// <param name="layers">How many.</param>
    public LongShortTermMemory(WeightScope weights, int width, int layers)
        : base(nameof(LongShortTermMemory))
    {
        _width = width;
        var initialization = Initialization.Normal(1 / Math.Sqrt(3.0 * width));
        _layers = [.. Enumerable.Range(0, layers).Select(layer => new Layer(
            Take($"weight_ih_l{layer}", 4 * width, width), Take($"weight_hh_l{layer}", 4 * width, width),
            Take($"bias_ih_l{layer}", 4 * width), Take($"bias_hh_l{layer}", 4 * width)))];

        Parameter Take(string name, params ReadOnlySpan<long> shape)
        {
            var parameter = weights.Take(name, initialization, shape);
            register_parameter(name, parameter);
            return parameter;
        }
    }

    /// <summary>[T, B, W] to the same shape; each sequence begins with a state of zeros.</summary>
    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return _layers.Aggregate(input, Forward).MoveToOuterDisposeScope();
    }

    private Tensor Forward(Tensor input, Layer layer)
    {
        using var scope = NewDisposeScope();
        var (steps, batch) = (input.shape[0], input.shape[1]);
        var fromInput = nn.functional.linear(input, layer.FromInput, layer.InputBias + layer.StateBias); // [T, B, 4 W]
        var state = zeros(batch, _width, input.dtype, input.device);
        var cell = state;
        var outputs = new Tensor[steps];
        for (var step = 0L; step < steps; step++)
        {
            using var inner = NewDisposeScope();
            var gates = (fromInput[step] + state.matmul(layer.FromState.t())).chunk(4, 1);
            cell = gates[1].sigmoid() * cell + gates[0].sigmoid() * gates[2].tanh();
            state = gates[3].sigmoid() * cell.tanh();
            outputs[step] = state;
            cell.MoveToOuterDisposeScope();
            state.MoveToOuterDisposeScope();
        }

        return stack(outputs).MoveToOuterDisposeScope();
    }

    private sealed record Layer(Parameter FromInput, Parameter FromState, Parameter InputBias, Parameter StateBias);
}
