using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// A matrix of signed bytes with a scale for each output: weight = byte * scale, where the scale is the output's largest magnitude / 127.
/// </summary>
/// <remarks>
/// Its bytes lie as <see cref="Int8Kernels"/> reads them: [tiles, pairs of inputs, <see cref="QuantizedMatrix.TileOutputs"/>, 2], zeros
/// where it ends.
/// </remarks>
internal sealed unsafe class Int8Matrix : QuantizedMatrix
{
    private const float Largest = sbyte.MaxValue;

    private Int8Matrix(int inputs, int outputs) : base(inputs, outputs, 2L * FixedPointRows.Pairs(inputs) * TileOutputs) =>
        Scales = new float[Tiles * TileOutputs];

    /// <summary>[outputs], and zeros up to the last tile's end.</summary>
    public float[] Scales { get; }

    /// <summary>The first byte; whoever reads keeps the matrix alive.</summary>
    public sbyte* Weights => (sbyte*)Memory.Pointer;

    /// <inheritdoc/>
    public override long Bytes => base.Bytes + sizeof(float) * Scales.Length;

    /// <summary>Rounds a contiguous float32 matrix on the CPU.</summary>
    /// <param name="weight">[outputs, inputs] or [inputs, outputs].</param>
    /// <param name="isOutputByInput">Which of the two.</param>
    public static Int8Matrix Quantize(Tensor weight, bool isOutputByInput)
    {
        var (first, second) = (checked((int)weight.size(0)), checked((int)weight.size(1)));
        var matrix = isOutputByInput ? new Int8Matrix(second, first) : new Int8Matrix(first, second);
        matrix.Fill(weight, isOutputByInput);
        return matrix;
    }

    /// <inheritdoc/>
    public override void Multiply(
        ReadOnlySpan<float> input, ReadOnlySpan<float> bias, Span<float> output, int threads, Activation activation = Activation.None,
        bool accumulate = false) =>
        Int8Product.Compute(input, this, bias, output, threads, activation, accumulate);

    /// <inheritdoc/>
    public override void ReadOutput(long output, Span<float> target)
    {
        CheckRead(output, target);
        var source = Weights + output / TileOutputs * TileBytes + 2 * (output % TileOutputs);
        var scale = Scales[(int)output];
        for (var input = 0; input < target.Length; input++)
            target[input] = source[input / 2 * 2 * TileOutputs + input % 2] * scale;
        GC.KeepAlive(this);
    }

    private protected override void FillTile(int start, int count, float* source, int inputStride, int outputStride, byte* target)
    {
        var inverses = stackalloc float[count];
        for (var output = 0; output < count; output++)
        {
            var magnitude = 0f;
            for (var input = 0; input < Inputs; input++)
                magnitude = MathF.Max(magnitude, MathF.Abs(source[(nint)input * inputStride + (nint)output * outputStride]));
            Scales[start + output] = float.IsFinite(magnitude) ? magnitude / Largest : float.NaN; // the product is NaN then, as it should
            inverses[output] = magnitude is >= 1e-30f and < float.PositiveInfinity ? Largest / magnitude : 0;
        }

        for (var input = 0; input < Inputs; input++)
        {
            var pair = (sbyte*)target + (nint)(input / 2) * 2 * TileOutputs + input % 2;
            for (var output = 0; output < count; output++)
                pair[2 * output] = (sbyte)MathF.Round(source[(nint)input * inputStride + (nint)output * outputStride] * inverses[output]);
        }
    }
}
