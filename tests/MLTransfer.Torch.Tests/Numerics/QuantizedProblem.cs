using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Numerics.Rows;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Numerics;

/// <summary>Rows of random numbers to multiply with a random matrix in few bits, and what is to be added to them.</summary>
internal class QuantizedProblem<TMatrix> : IDisposable
    where TMatrix : QuantizedMatrix
{
    private readonly Tensor _input;
    private readonly Tensor? _bias;
    private readonly Tensor _residual;

    public QuantizedProblem(
        int seed, int rows, int inputs, int outputs, bool isOutputByInput, bool hasBias, Func<Tensor, bool, TMatrix> quantize)
    {
        using var generator = new Generator((ulong)seed);
        _input = randn([rows, inputs], generator: generator) * pow(10, randn([rows, 1], generator: generator));
        Matrix = quantize(
            isOutputByInput ? randn([outputs, inputs], generator: generator)
                : randn([inputs, outputs], generator: generator), isOutputByInput);
        _bias = hasBias ? randn([outputs], generator: generator) : null;
        _residual = randn([rows, outputs], generator: generator);
    }

    protected TMatrix Matrix { get; }

    protected int Rows => (int)_input.shape[0];

    protected ReadOnlySpan<float> Bias => _bias is null ? default : NativeTensor.AsSpan<float>(_bias);

    /// <summary>The distance of rows from what float64 computes, relative to their terms.</summary>
    public void AssertDistance(float[] actual, Activation activation, double tolerance)
    {
        using var scope = NewDisposeScope();
        var weight = empty(Matrix.Outputs, Matrix.Inputs);
        for (var output = 0; output < Matrix.Outputs; output++)
            Matrix.ReadOutput(output, NativeTensor.AsSpan<float>(weight).Slice(output * Matrix.Inputs, Matrix.Inputs));
        var product = mm(_input.to(ScalarType.Float64), weight.to(ScalarType.Float64).t());
        if (_bias is not null)
            product += _bias;
        if (activation == Activation.GeluTanh)
            product = nn.functional.gelu(product, TorchSharp.Modules.GELU.Approximate.tanh);
        var size = 1 + (_input.norm(1, false, 2.0f) * weight.norm()).to(ScalarType.Float64) / Math.Sqrt(Matrix.Outputs);
        var distance =
            ((tensor(actual).view(product.shape) - _residual - product).norm(1, false, 2.0f) / size / Math.Sqrt(Matrix.Outputs)).max();
        Assert.InRange(distance.item<double>(), 0, tolerance);
    }

    public float[] Compute(int? rows = null, int first = 0, int threads = 1, Activation activation = Activation.None)
    {
        var count = rows ?? Rows;
        var output = Residual(count, first);
        Matrix.Multiply(Input(count, first), Bias, output, threads, activation, accumulate: true);
        return output;
    }

    public void Dispose() => Matrix.Dispose();

    protected ReadOnlySpan<float> Input(int rows, int first) =>
        NativeTensor.AsSpan<float>(_input).Slice(first * Matrix.Inputs, rows * Matrix.Inputs);

    protected float[] Residual(int rows, int first) =>
        NativeTensor.AsSpan<float>(_residual).Slice(first * Matrix.Outputs, rows * Matrix.Outputs).ToArray();
}
