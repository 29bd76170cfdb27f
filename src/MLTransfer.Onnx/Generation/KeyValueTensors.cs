using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>
/// Memory for the keys and values of all layers, [rows, heads, positions, head width] each, and ONNX Runtime's views of it.
/// </summary>
/// <remarks>
/// The memory is that of the session's arena, which keeps it: what one generation has used is warm for the next one, and no page of it has
/// to be cleared again by the system.
/// </remarks>
/// <param name="signature">What the graph reads and writes.</param>
/// <param name="allocator">The session's arena; it outlives this object.</param>
/// <param name="maximumPositions">The most positions that there will be.</param>
internal sealed unsafe class KeyValueTensors(DecoderSignature signature, OrtAllocator allocator, int maximumPositions) : IDisposable
{
    private const int FirstPositions = 256;

    private readonly OrtMemoryAllocation?[] _memory = new OrtMemoryAllocation?[signature.CacheTensors];
    private long _capacity = -1; // bytes of one tensor

    /// <summary>The tensors in the order of <see cref="DecoderSignature.InputNames"/>; empty before <see cref="Reshape"/>.</summary>
    public OrtValue[] Values { get; private set; } = [];

    /// <summary>The rows of each tensor.</summary>
    public int Rows { get; private set; }

    /// <summary>The positions of each tensor.</summary>
    public int Positions { get; private set; }

    /// <summary>Gives all tensors another shape. Their contents are lost.</summary>
    public void Reshape(int rows, int positions)
    {
        var bytes = checked((long)rows * positions * signature.BytesPerPosition);
        DisposeValues();
        if (bytes > _capacity)
        {
            // With room to grow, so that few steps allocate.
            var roomy = Math.Max(positions, Math.Min(maximumPositions, Math.Max(FirstPositions, 2L * positions)));
            Free();
            var capacity = checked((uint)(rows * roomy * signature.BytesPerPosition));
            for (var i = 0; i < _memory.Length; i++)
                _memory[i] = allocator.Allocate(capacity);
            _capacity = capacity;
        }

        (Rows, Positions) = (rows, positions);
        long[] shape = [rows, signature.Heads, positions, signature.HeadWidth];
        Values = new OrtValue[signature.CacheTensors];
        for (var i = 0; i < Values.Length; i++)
            Values[i] =
                OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, signature.CacheType, shape, (nint)Tensor(i), bytes);
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
                var from = source.Tensor(tensor)
                    + (((long)sourceRow * signature.Heads + head + 1) * source.Positions - count) * perPosition;
                var to = Tensor(tensor) + (((long)row * signature.Heads + head + 1) * Positions - count) * perPosition;
                Buffer.MemoryCopy(from, to, bytes, bytes);
            }
        }
    }

    public void Dispose()
    {
        DisposeValues();
        Free();
    }

    private byte* Tensor(int index) => (byte*)_memory[index]!.DangerousGetHandle();

    private void Free()
    {
        _capacity = -1;
        foreach (var memory in _memory)
            memory?.Dispose();
    }

    private void DisposeValues()
    {
        foreach (var value in Values)
            value.Dispose();
        Values = [];
    }
}
