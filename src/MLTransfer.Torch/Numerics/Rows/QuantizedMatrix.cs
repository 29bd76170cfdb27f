using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>A matrix of integers of few bits with scales, laid out for the kernels that multiply rows with it.</summary>
internal abstract unsafe class QuantizedMatrix : IDisposable
{
    private protected QuantizedMatrix(int inputs, int outputs, long tileBytes)
    {
        (Inputs, Outputs, TileBytes) = (inputs, outputs, tileBytes);
        Tiles = (outputs + TileOutputs - 1) / TileOutputs;
        Memory = new WeightMemory(Tiles * tileBytes);
    }

    /// <summary>The outputs that a tile has.</summary>
    public const int TileOutputs = 32;

    /// <summary>The length of a row that is multiplied.</summary>
    public int Inputs { get; }

    /// <summary>The length of a product.</summary>
    public int Outputs { get; }

    /// <summary>The number of tiles.</summary>
    public int Tiles { get; }

    /// <summary>All that the matrix takes.</summary>
    public virtual long Bytes => Tiles * TileBytes;

    /// <summary>Tiles follow each other without gaps.</summary>
    private protected long TileBytes { get; }

    private protected WeightMemory Memory { get; }

    /// <summary>output = activation(input * matrix + bias), or output += that.</summary>
    /// <param name="input">[rows, inputs], any number of rows.</param>
    /// <param name="bias">[outputs], or empty for none.</param>
    /// <param name="output">[rows, outputs].</param>
    /// <param name="threads">The most threads that are used.</param>
    /// <param name="activation">Applied to the product with its bias.</param>
    /// <param name="accumulate">Whether to add to the output.</param>
    public abstract void Multiply(
        ReadOnlySpan<float> input, ReadOnlySpan<float> bias, Span<float> output, int threads, Activation activation = Activation.None,
        bool accumulate = false);

    /// <summary>The weights of one output, as a table of vectors is read.</summary>
    /// <param name="output">The output's index.</param>
    /// <param name="target">[inputs].</param>
    public abstract void ReadOutput(long output, Span<float> target);

    /// <summary>[..., inputs] times the matrix, plus a float32 bias: [..., outputs] float32, without gradients.</summary>
    public Tensor Multiply(Tensor input, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var rows = input.to(ScalarType.Float32).contiguous();
        var output = empty([.. input.shape[..^1], Outputs], ScalarType.Float32);
        Multiply(
            NativeTensor.AsSpan<float>(rows), bias is null ? default : NativeTensor.AsSpan<float>(bias),
            NativeTensor.AsSpan<float>(output), get_num_threads());
        return output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Memory.Dispose();

    /// <summary>Refuses an output that is none, or a target of another length.</summary>
    private protected void CheckRead(long output, Span<float> target)
    {
        if ((ulong)output >= (ulong)Outputs)
            throw new ArgumentOutOfRangeException(nameof(output), output, $"The table has {Outputs} vectors.");
        ArgumentOutOfRangeException.ThrowIfNotEqual(target.Length, Inputs);
    }

    /// <summary>Refuses what is not a whole number of rows, and gives the number.</summary>
    internal int CheckRows(ReadOnlySpan<float> input, ReadOnlySpan<float> bias, Span<float> output)
    {
        var rows = input.Length / Inputs;
        ArgumentOutOfRangeException.ThrowIfNotEqual(input.Length, checked(rows * Inputs));
        ArgumentOutOfRangeException.ThrowIfNotEqual(output.Length, checked(rows * Outputs));
        if (bias.Length > 0)
            ArgumentOutOfRangeException.ThrowIfNotEqual(bias.Length, Outputs);
        return rows;
    }

    /// <summary>Fills the tiles of a contiguous float32 matrix on the CPU, on all cores.</summary>
    /// <param name="weight">[outputs, inputs] or [inputs, outputs].</param>
    /// <param name="isOutputByInput">Which of the two.</param>
    private protected void Fill(Tensor weight, bool isOutputByInput)
    {
        if (weight.dtype != ScalarType.Float32)
            throw new ArgumentException($"The weights are {weight.dtype}; quantized weights are made of Float32.", nameof(weight));
        var source = (float*)NativeTensor.Pointer(weight);
        var (inputStride, outputStride) = isOutputByInput ? (1, Inputs) : (Outputs, 1);
        Parallel.For(
            0, Tiles, new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() }, tile =>
            {
                var start = tile * TileOutputs;
                var target = Memory.Pointer + tile * TileBytes;
                new Span<byte>(target, checked((int)TileBytes)).Clear();
                FillTile(
                    start, Math.Min(TileOutputs, Outputs - start), source + (nint)start * outputStride, inputStride, outputStride, target);
            });
        GC.KeepAlive(weight);
    }

    /// <summary>Rounds the weights of some outputs.</summary>
    /// <param name="start">The first of the tile's outputs.</param>
    /// <param name="count">How many they are.</param>
    /// <param name="source">The first weight of the first output.</param>
    /// <param name="inputStride">From one input to the next.</param>
    /// <param name="outputStride">From one output to the next.</param>
    /// <param name="target">The tile, all zeros.</param>
    private protected abstract void FillTile(int start, int count, float* source, int inputStride, int outputStride, byte* target);

    /// <summary>Tiles that a thread takes at once.</summary>
    internal static int BlockTiles(int tiles, long tileBytes, int threads)
    {
        const long SmallestBytes = 64 << 10; // less is not worth another thread
        const long LargestBytes = 512 << 10;
        var fewest = Blocks(SmallestBytes, tileBytes);
        return (int)Math.Clamp(Blocks(tiles, threads), fewest, Math.Max(fewest, LargestBytes / tileBytes));
    }

    /// <summary>How many pieces of a length something divides into.</summary>
    internal static long Blocks(long count, long length) => (count + length - 1) / length;
}
