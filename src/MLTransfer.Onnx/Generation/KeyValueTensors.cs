using Microsoft.ML.OnnxRuntime;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Onnx.Generation;

/// <summary>Memory for the keys and values of all layers, [rows, heads, positions, head width] each, and ONNX Runtime's views of it.</summary>
/// <param name="signature">What the graph reads and writes.</param>
/// <param name="maximumPositions">The most positions that there will be.</param>
internal sealed unsafe class KeyValueTensors(DecoderSignature signature, int maximumPositions) : IDisposable
{
    private const int FirstPositions = 256;
    private const long Alignment = 64;

    private NativeMemoryHandle? _memory;
    private long _capacity; // bytes of one tensor

    /// <summary>The tensors in the order of <see cref="DecoderSignature.InputNames"/>; empty before <see cref="Reshape"/>.</summary>
    public OrtValue[] Values { get; private set; } = [];

    /// <summary>The rows of each tensor.</summary>
    public int Rows { get; private set; }

    /// <summary>The positions of each tensor.</summary>
    public int Positions { get; private set; }

    /// <summary>Gives all tensors another shape. Their contents are lost.</summary>
    public void Reshape(int rows, int positions)
    {
        var bytes = checked(rows * positions * signature.BytesPerPosition);
        DisposeValues();
        if (bytes > _capacity || _memory is null)
        {
            // With room to grow, so that few steps allocate.
            var roomy = Math.Max(positions, Math.Min(maximumPositions, Math.Max(FirstPositions, 2L * positions)));
            _capacity = checked(rows * roomy * signature.BytesPerPosition + Alignment - 1) / Alignment * Alignment;
            _memory?.Dispose();
            _memory = null;
            _memory = new NativeMemoryHandle(checked(_capacity * signature.CacheTensors));
        }

        (Rows, Positions) = (rows, positions);
        long[] shape = [rows, signature.Heads, positions, signature.HeadWidth];
        Values = new OrtValue[signature.CacheTensors];
        for (var i = 0; i < Values.Length; i++)
            Values[i] = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, signature.CacheType, shape, (nint)Tensor(i), bytes);
    }

    /// <summary>Takes some rows of another object, without their first positions.</summary>
    /// <param name="source">Where from; it keeps its contents.</param>
    /// <param name="rows">For each new row the index of one of <paramref name="source"/>.</param>
    /// <param name="droppedPositions">How many positions are left out.</param>
    public void CopyRows(KeyValueTensors source, ReadOnlySpan<int> rows, int droppedPositions)
    {
        Reshape(rows.Length, source.Positions - droppedPositions);
        for (var row = 0; row < rows.Length; row++)
            CopyLastPositions(source, rows[row], row, Positions);
    }

    /// <summary>Overwrites the last positions of a row by those of a row of another object.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="sourceRow">The row there.</param>
    /// <param name="row">The row here.</param>
    /// <param name="count">How many positions.</param>
    public void CopyLastPositions(KeyValueTensors source, int sourceRow, int row, int count)
    {
        var perPosition = signature.BytesPerPosition / signature.Heads; // bytes of one head
        var bytes = count * perPosition;
        for (var tensor = 0; tensor < signature.CacheTensors; tensor++)
        {
            for (var head = 0; head < signature.Heads; head++)
            {
                var from = source.Tensor(tensor) + (((long)sourceRow * signature.Heads + head + 1) * source.Positions - count) * perPosition;
                var to = Tensor(tensor) + (((long)row * signature.Heads + head + 1) * Positions - count) * perPosition;
                Buffer.MemoryCopy(from, to, bytes, bytes);
            }
        }
    }

    public void Dispose()
    {
        DisposeValues();
        _memory?.Dispose();
    }

    private byte* Tensor(int index) => _memory!.Pointer + index * _capacity;

    private void DisposeValues()
    {
        foreach (var value in Values)
            value.Dispose();
        Values = [];
    }
}
