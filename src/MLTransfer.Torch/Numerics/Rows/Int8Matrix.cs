using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>
/// A matrix of signed bytes with a scale for each output: weight = byte * scale, where the scale is the output's largest magnitude / 127.
/// </summary>
/// <remarks>
/// Its bytes lie as <see cref="Int8Kernels"/> reads them: [tiles, pairs of inputs, <see cref="TileOutputs"/>, 2], zeros where it ends.
/// </remarks>
internal sealed unsafe class Int8Matrix : IDisposable
{
    /// <summary>The outputs that a tile has: as many as make a pair of inputs one cache line.</summary>
    public const int TileOutputs = 32;

    private const float Largest = sbyte.MaxValue;

    private readonly WeightMemory _memory;

    private Int8Matrix(int inputs, int outputs)
    {
        (Inputs, Outputs) = (inputs, outputs);
        Tiles = (outputs + TileOutputs - 1) / TileOutputs;
        Scales = new float[Tiles * TileOutputs];
        _memory = new WeightMemory((long)Tiles * TileBytes);
    }

    /// <summary>The length of a row that is multiplied.</summary>
    public int Inputs { get; }

    /// <summary>The length of a product.</summary>
    public int Outputs { get; }

    /// <summary>The number of tiles.</summary>
    public int Tiles { get; }

    /// <summary>[outputs], and zeros up to the last tile's end.</summary>
    public float[] Scales { get; }

    /// <summary>The first byte; whoever reads keeps the matrix alive.</summary>
    public sbyte* Weights => (sbyte*)_memory.Pointer;

    private long TileBytes => 2L * FixedPointRows.Pairs(Inputs) * TileOutputs;

    /// <summary>Rounds a contiguous float32 matrix on the CPU.</summary>
    /// <param name="weight">[outputs, inputs] or [inputs, outputs].</param>
    /// <param name="isOutputByInput">Which of the two.</param>
    public static Int8Matrix Quantize(Tensor weight, bool isOutputByInput)
    {
        if (weight.dtype != ScalarType.Float32)
            throw new ArgumentException($"The weights are {weight.dtype}; int8 weights are made of Float32.", nameof(weight));
        var (first, second) = (checked((int)weight.size(0)), checked((int)weight.size(1)));
        var source = (float*)NativeTensor.Pointer(weight);
        var matrix = isOutputByInput ? new Int8Matrix(second, first) : new Int8Matrix(first, second);
        var (inputStride, outputStride) = isOutputByInput ? (1, matrix.Inputs) : (matrix.Outputs, 1);
        Parallel.For(
            0, matrix.Tiles, new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() },
            tile => matrix.FillTile(tile, source, inputStride, outputStride));
        GC.KeepAlive(weight);
        return matrix;
    }

    /// <summary>The weights of one output, as a table of vectors is read.</summary>
    /// <param name="output">The output's index.</param>
    /// <param name="target">[inputs].</param>
    public void ReadOutput(long output, Span<float> target)
    {
        if ((ulong)output >= (ulong)Outputs)
            throw new ArgumentOutOfRangeException(nameof(output), output, $"The table has {Outputs} vectors.");
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, Inputs);
        var source = Weights + output / TileOutputs * TileBytes + 2 * (output % TileOutputs);
        var scale = Scales[(int)output];
        for (var input = 0; input < target.Length; input++)
            target[input] = source[input / 2 * 2 * TileOutputs + input % 2] * scale;
        GC.KeepAlive(this);
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private void FillTile(int tile, float* source, int inputStride, int outputStride)
    {
        var target = Weights + tile * TileBytes;
        new Span<sbyte>(target, checked((int)TileBytes)).Clear();
        var start = tile * TileOutputs;
        var count = Math.Min(TileOutputs, Outputs - start);
        var first = source + (nint)start * outputStride;
        var inverses = stackalloc float[count];
        for (var output = 0; output < count; output++)
        {
            var magnitude = 0f;
            for (var input = 0; input < Inputs; input++)
                magnitude = MathF.Max(magnitude, MathF.Abs(first[(nint)input * inputStride + (nint)output * outputStride]));
            Scales[start + output] = float.IsFinite(magnitude) ? magnitude / Largest : float.NaN; // the product is NaN then, as it should
            inverses[output] = magnitude is >= 1e-30f and < float.PositiveInfinity ? Largest / magnitude : 0;
        }

        for (var input = 0; input < Inputs; input++)
        {
            var pair = target + (nint)(input / 2) * 2 * TileOutputs + input % 2;
            for (var output = 0; output < count; output++)
                pair[2 * output] = (sbyte)MathF.Round(first[(nint)input * inputStride + (nint)output * outputStride] * inverses[output]);
        }
    }
}
