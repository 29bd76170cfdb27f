using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MLTransfer.Torch.Generation;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLTransfer.Onnx.Generation;

/// <summary>Sequences that a graph reads together.</summary>
/// <remarks>
/// The graph reads past keys and values from one block of memory and writes them with those of the new positions into another one; then the
/// blocks change places. So nothing is copied here unless rows are selected, and ONNX Runtime allocates no outputs.
/// </remarks>
internal sealed class OnnxDecodingCache : IDecodingCache
{
    private const int FirstPast = 3; // among the graph's inputs

    private readonly OnnxDecoder _decoder;
    private readonly DecoderSignature _signature;
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;
    private KeyValueTensors _past;
    private KeyValueTensors _present;
    private OrtMemoryAllocation? _logits; // [rows, width, vocabulary], where they cannot go straight to the caller
    private long[] _mask = [];

    /// <param name="decoder">Held while this object lives.</param>
    /// <param name="rows">The number of sequences.</param>
    /// <param name="capacity">The most positions that there will be.</param>
    public OnnxDecodingCache(OnnxDecoder decoder, int rows, int capacity)
    {
        (_decoder, _signature) = (decoder, decoder.Signature);
        _inputs = new OrtValue[_signature.InputNames.Length];
        _outputs = new OrtValue[_signature.OutputNames.Length];
        (_past, _present) =
            (new KeyValueTensors(_signature, decoder.Allocator, capacity), new KeyValueTensors(_signature, decoder.Allocator, capacity));
        try
        {
            _past.Reshape(rows, 0);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Length => _past.Positions;

    public void Read(long[] inputIds, long[] positionIds, ReadOnlySpan<int> lengths, Span<float> logits)
    {
        var width = inputIds.Length / lengths.Length;
        var end = Length + width;
        var most = Math.Max(1, _decoder.MaximumLogits / _signature.VocabularySize / lengths.Length);
        for (var start = 0; start < width; start += most)
        {
            var count = Math.Min(most, width - start);
            RunPass(Columns(inputIds, width, start, count), Columns(positionIds, width, start, count), lengths, end, logits);
        }
    }

    public void SelectRows(ReadOnlySpan<int> rows, int droppedPositions)
    {
        _present.CopyRows(_past, rows, droppedPositions);
        (_past, _present) = (_present, _past);
    }

    public void OverwriteEnd(ReadOnlySpan<int> rows, IDecodingCache source)
    {
        var other = ((OnnxDecodingCache)source)._past;
        for (var i = 0; i < rows.Length; i++)
            _past.CopyLastPositions(other, i, rows[i], other.Positions);
    }

    public void Clear() => _past.Reshape(_past.Rows, 0);

    public void Dispose()
    {
        _past.Dispose();
        _present.Dispose();
        _logits?.Dispose();
    }

    /// <summary>Some columns of a matrix [rows, width].</summary>
    private static long[] Columns(long[] matrix, int width, int start, int count)
    {
        if (count == width)
            return matrix;
        var columns = new long[matrix.Length / width * count];
        for (var row = 0; row < matrix.Length / width; row++)
            matrix.AsSpan(row * width + start, count).CopyTo(columns.AsSpan(row * count));
        return columns;
    }

    /// <param name="inputIds">[rows, count].</param>
    /// <param name="positionIds">[rows, count].</param>
    /// <param name="lengths">How many of the positions before <paramref name="end"/> are each row's own.</param>
    /// <param name="end">Where the rows will end after this pass, or a later one.</param>
    /// <param name="logits">[rows, vocabulary], of the last column.</param>
    private unsafe void RunPass(long[] inputIds, long[] positionIds, ReadOnlySpan<int> lengths, int end, Span<float> logits)
    {
        var rows = lengths.Length;
        var count = inputIds.Length / rows;
        var positions = Length + count;
        _present.Reshape(rows, positions);
        FillMask(lengths, end, positions);
        var isDirect = count == 1 && _signature.LogitsType == TensorElementType.Float;
        var elements = checked((long)inputIds.Length * _signature.VocabularySize);
        fixed (long* ids = inputIds, mask = _mask, position = positionIds)
        fixed (float* target = logits)
        {
            try
            {
                _inputs[0] = Integers(ids, rows, count);
                _inputs[1] = Integers(mask, rows, positions);
                _inputs[2] = Integers(position, rows, count);
                _past.Values.CopyTo(_inputs, FirstPast);
                _outputs[0] = isDirect
                    ? Logits(target, rows, count, elements * sizeof(float))
                    : Logits(Scratch(elements), rows, count, elements * LogitBytes);
                _present.Values.CopyTo(_outputs, 1);
                _decoder.Run(_inputs, _outputs);
            }
            finally
            {
                foreach (var value in _inputs.AsSpan(0, FirstPast))
                    value?.Dispose();
                _outputs[0]?.Dispose();
            }
        }

        if (!isDirect)
            TakeLastColumn(rows, count, logits);
        (_past, _present) = (_present, _past);
    }

    private int LogitBytes => _signature.LogitsType == TensorElementType.Float ? sizeof(float) : 2;

    private unsafe OrtValue Logits(void* memory, int rows, int count, long bytes) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, _signature.LogitsType, [rows, count, _signature.VocabularySize], (nint)memory, bytes);

    private static unsafe OrtValue Integers(long* memory, int rows, int columns) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, TensorElementType.Int64, [rows, columns], (nint)memory, (long)rows * columns * sizeof(long));

    private unsafe byte* Scratch(long elements)
    {
        var bytes = checked((uint)(elements * LogitBytes));
        if (_logits is null || _logits.Size < bytes)
        {
            _logits?.Dispose();
            _logits = null;
            _logits = _decoder.Allocator.Allocate(bytes);
        }

        return (byte*)_logits.DangerousGetHandle();
    }

    private unsafe void TakeLastColumn(int rows, int count, Span<float> logits)
    {
        var vocabulary = _signature.VocabularySize;
        var all = (byte*)_logits!.DangerousGetHandle();
        for (var row = 0; row < rows; row++)
        {
            var source = new ReadOnlySpan<byte>(all + ((long)(row + 1) * count - 1) * vocabulary * LogitBytes, vocabulary * LogitBytes);
            var target = logits.Slice(row * vocabulary, vocabulary);
            if (_signature.LogitsType == TensorElementType.Float)
                MemoryMarshal.Cast<byte, float>(source).CopyTo(target);
            else
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), target);
        }
    }

    /// <summary>[rows, positions]: 1, or 0 where there is padding.</summary>
    private void FillMask(ReadOnlySpan<int> lengths, int end, int positions)
    {
        if (_mask.Length < lengths.Length * positions)
            _mask = new long[checked(lengths.Length * positions * 2)];
        var mask = _mask.AsSpan(0, lengths.Length * positions);
        mask.Fill(1);
        for (var row = 0; row < lengths.Length; row++)
            mask.Slice(row * positions, Math.Min(positions, end - lengths[row])).Clear();
    }
}
