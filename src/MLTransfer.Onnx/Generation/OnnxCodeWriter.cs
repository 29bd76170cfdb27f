using MLTransfer.Torch.Networks;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>Rows of captions and the codes read so far, by a decoder's graph that ONNX Runtime runs.</summary>
internal sealed class OnnxCodeWriter : ICodeWriter
{
    private readonly int _rows;
    private readonly int _firstCode;
    private readonly int _firstLogit;
    private readonly int _codes;
    private readonly EncodedCaptions? _captions;
    private readonly PastValues _past;
    private readonly float[] _logits; // [rows, codes]

    /// <param name="decoder">Held while this object lives.</param>
    /// <param name="beginnings">What each row begins with, equally long.</param>
    /// <param name="firstCode">The id of code 0.</param>
    /// <param name="firstLogit">The number of its logit.</param>
    /// <param name="codes">The number of codes.</param>
    /// <param name="captions">What an encoder gave, where the decoder looks at such; disposed with this object.</param>
    public OnnxCodeWriter(
        InferenceSession decoder, IReadOnlyList<long[]> beginnings, int firstCode, int firstLogit, int codes, EncodedCaptions? captions)
    {
        (_rows, _firstCode, _firstLogit, _codes, _captions) = (beginnings.Count, firstCode, firstLogit, codes, captions);
        (_past, _logits) = (new PastValues(decoder), new float[checked(_rows * codes)]);
        try
        {
            Read([.. beginnings.SelectMany(row => row)], beginnings[0].Length);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Logits(int row) => _logits.AsSpan(row * _codes, _codes);

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> codes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(codes.Length, _rows);
        var ids = new long[_rows];
        for (var row = 0; row < _rows; row++)
            ids[row] = _firstCode + codes[row];
        Read(ids, 1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _past.Dispose();
        _captions?.Dispose();
    }

    /// <param name="ids">[rows, length].</param>
    /// <param name="length">New positions.</param>
    private void Read(long[] ids, int length)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(ids, [_rows, length]);
        using var branch = OrtValue.CreateTensorValueFromMemory([_past.HasRead], [1]);
        using var logits = _past.Run(_rows, _captions is null
            ? [("input_ids", input)]
            :
            [
                ("input_ids", input), ("encoder_attention_mask", _captions.Mask), ("encoder_hidden_states", _captions.States),
                ("use_cache_branch", branch),
            ]);
        for (var row = 0; row < _rows; row++)
            ExportedGraphs.CopyLast(logits, row, _firstLogit, _logits.AsSpan(row * _codes, _codes));
    }
}
