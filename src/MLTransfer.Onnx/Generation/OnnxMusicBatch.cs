using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Music;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Generation;

/// <summary>Rows of codes that the graph of a decoder reads together. With guidance each row is there twice, with and without its
/// caption.</summary>
internal sealed class OnnxMusicBatch : IMusicBatch
{
    private readonly OnnxMusicDecoder _decoder;
    private readonly float _guidance; // 1 for none
    private readonly int _rows;
    private readonly float[] _logits; // [rows, codebooks, codes]
    private readonly float[] _raw;    // [rows, or twice as many, codebooks, codes]
    private readonly EncodedCaptions _captions; // of rows, or twice as many
    private readonly PastValues _past;

    /// <param name="decoder">Held while this object lives.</param>
    /// <param name="captions">For each row what the text encoder reads; null for no caption.</param>
    /// <param name="guidance">The scale; 1 for none.</param>
    public OnnxMusicBatch(OnnxMusicDecoder decoder, IReadOnlyList<int[]?> captions, double guidance)
    {
        (_decoder, _rows, _guidance) = (decoder, captions.Count, Guidance.Of(guidance, captions));
        _logits = new float[checked(_rows * decoder.Codebooks * decoder.CodebookSize)];
        _raw = new float[AllRows * decoder.Codebooks * decoder.CodebookSize];
        _past = new PastValues(decoder.Decoder);
        _captions = EncodedCaptions.Read(
            decoder.TextEncoder, decoder.Decoder, [.. captions, .. _guidance == 1 ? [] : new int[]?[_rows]]);
    }

    private int AllRows => _guidance == 1 ? _rows : 2 * _rows;

    /// <inheritdoc/>
    public Span<float> Logits(int row, int codebook) =>
        _logits.AsSpan((row * _decoder.Codebooks + codebook) * _decoder.CodebookSize, _decoder.CodebookSize);

    /// <inheritdoc/>
    public void Begin(IReadOnlyList<int[][]> columns, int capacity)
    {
        _past.Clear();
        Run([.. columns.SelectMany(row => row).SelectMany(codebook => codebook)], columns[0][0].Length);
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> ids) => Run(ids, 1);

    /// <inheritdoc/>
    public void Dispose()
    {
        _past.Dispose();
        _captions.Dispose();
    }

    /// <param name="ids">[rows, codebooks, width].</param>
    /// <param name="width">The columns.</param>
    private void Run(ReadOnlySpan<int> ids, int width)
    {
        var values = new long[AllRows * _decoder.Codebooks * width];
        for (var i = 0; i < values.Length; i++)
            values[i] = ids[i % ids.Length];
        using var input = OrtValue.CreateTensorValueFromMemory(values, [AllRows * _decoder.Codebooks, width]);
        using var branch = OrtValue.CreateTensorValueFromMemory([_past.HasRead], [1]);
        using var logits = _past.Run(AllRows,
            [
                ("input_ids", input), ("encoder_attention_mask", _captions.Mask), ("encoder_hidden_states", _captions.States),
                ("use_cache_branch", branch),
            ]);
        for (var row = 0; row < AllRows * _decoder.Codebooks; row++)
            ExportedGraphs.CopyLast(logits, row, 0, _raw.AsSpan(row * _decoder.CodebookSize, _decoder.CodebookSize));
        if (_guidance == 1)
            _raw.CopyTo(_logits, 0);
        else
            Guidance.Combine(_raw.AsSpan(0, _logits.Length), _raw.AsSpan(_logits.Length), _guidance, _logits);
    }
}
