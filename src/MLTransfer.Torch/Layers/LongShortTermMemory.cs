using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>Layers of long short-term memory of one width, one over the other (Hochreiter and Schmidhuber 1997, with forget
/// gates).</summary>
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
        var byRows = !training && !is_grad_enabled() && input.shape[1] <= RowProduct.MaximumRows && RowMatrix.Supports(input)
            && input.dtype == ScalarType.Float32 && _layers.All(layer => layer.FromState.dtype == ScalarType.Float32);
        return _layers.Aggregate(input, byRows ? Step : Forward).MoveToOuterDisposeScope();
    }

    /// <summary>The same as <see cref="Forward(Tensor, Layer)"/> on row kernels.</summary>
    private Tensor Step(Tensor input, Layer layer)
    {
        using var scope = NewDisposeScope();
        var (steps, batch) = ((int)input.shape[0], (int)input.shape[1]);
        var gatesOfAll = nn.functional.linear(input, layer.FromInput, layer.InputBias + layer.StateBias); // [T, B, 4 W]
        var fromState = RowMatrix.Of(layer.FromState, bias: null, isOutputByInput: true);
        var output = empty_like(input);
        using var cells = new RowBuffer(batch * _width);
        cells.Span.Clear();
        for (var step = 0; step < steps; step++)
        {
            var gates = NativeTensor.AsSpan<float>(gatesOfAll, (long)step * batch * 4 * _width, batch * 4 * _width);
            if (step > 0)
            {
                var earlier = NativeTensor.AsSpan<float>(output, (step - 1L) * batch * _width, batch * _width);
                RowProduct.Compute(earlier, batch, fromState, gates, get_num_threads(), accumulate: true);
            }

            var states = NativeTensor.AsSpan<float>(output, (long)step * batch * _width, batch * _width);
            for (var row = 0; row < batch; row++)
            {
                RecurrentGates.Apply(
                    gates.Slice(row * 4 * _width, 4 * _width), cells.Span.Slice(row * _width, _width),
                    states.Slice(row * _width, _width));
            }
        }

        return output.MoveToOuterDisposeScope();
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
