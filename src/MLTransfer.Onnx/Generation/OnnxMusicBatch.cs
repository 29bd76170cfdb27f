using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Music;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLTransfer.Onnx.Generation;

/// <summary>Rows of codes that the graph of a decoder reads together. With guidance each row is there twice, with and without its
/// caption.</summary>
internal sealed class OnnxMusicBatch : IMusicBatch
{
    private const string PastPrefix = "past_key_values.", PresentPrefix = "present.", Encoder = ".encoder.";

    private readonly OnnxMusicDecoder _decoder;
    private readonly float _guidance; // 1 for none
    private readonly int _rows;
    private readonly float[] _logits; // [rows, codebooks, codes]
    private readonly float[] _raw;    // [rows, or twice as many, codebooks, codes]
    private readonly string[] _pastNames;
    private readonly RunOptions _run = new();
    private readonly OrtValue _captions;     // [rows, or twice as many, tokens, width]
    private readonly OrtValue _captionMask;  // [rows, or twice as many, tokens]
    private readonly Dictionary<string, OrtValue> _past = [];

    /// <param name="decoder">Held while this object lives.</param>
    /// <param name="captions">For each row what the text encoder reads; null for no caption.</param>
    /// <param name="guidance">The scale; 1 for none.</param>
    public OnnxMusicBatch(OnnxMusicDecoder decoder, IReadOnlyList<int[]?> captions, double guidance)
    {
        (_decoder, _rows, _guidance) = (decoder, captions.Count, Guidance.Of(guidance, captions));
        _logits = new float[checked(_rows * decoder.Codebooks * decoder.CodebookSize)];
        _raw = new float[AllRows * decoder.Codebooks * decoder.CodebookSize];
        _pastNames = [.. decoder.Decoder.InputNames.Where(name => name.StartsWith(PastPrefix, StringComparison.Ordinal))];
        (_captions, _captionMask) = Read([.. captions, .. _guidance == 1 ? [] : new int[]?[_rows]]);
    }

    private int AllRows => _guidance == 1 ? _rows : 2 * _rows;

    /// <inheritdoc/>
    public Span<float> Logits(int row, int codebook) =>
        _logits.AsSpan((row * _decoder.Codebooks + codebook) * _decoder.CodebookSize, _decoder.CodebookSize);

    /// <inheritdoc/>
    public void Begin(IReadOnlyList<int[][]> columns, int capacity)
    {
        Clear();
        Run([.. columns.SelectMany(row => row).SelectMany(codebook => codebook)], columns[0][0].Length);
    }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<int> ids) => Run(ids, 1);

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear();
        _captions.Dispose();
        _captionMask.Dispose();
        _run.Dispose();
    }

    private void Clear()
    {
        foreach (var value in _past.Values)
            value.Dispose();
        _past.Clear();
    }

    /// <param name="ids">[rows, codebooks, width].</param>
    /// <param name="width">The columns.</param>
    private void Run(ReadOnlySpan<int> ids, int width)
    {
        var values = new long[AllRows * _decoder.Codebooks * width];
        for (var i = 0; i < values.Length; i++)
            values[i] = ids[i % ids.Length];
        var continues = _past.Count > 0;
        foreach (var name in _pastNames.Where(name => !_past.ContainsKey(name)))
            _past.Add(name, Empty(_decoder.Decoder.InputMetadata[name]));
        using var input = OrtValue.CreateTensorValueFromMemory(values, [AllRows * _decoder.Codebooks, width]);
        using var branch = OrtValue.CreateTensorValueFromMemory([continues], [1]);
        string[] outputs =
            ["logits", .. _decoder.Decoder.OutputNames.Where(name => name.StartsWith(PresentPrefix, StringComparison.Ordinal)
                && (!continues || !name.Contains(Encoder, StringComparison.Ordinal)))];
        List<OrtValue> given;
        try
        {
            given =
            [
                .. _decoder.Decoder.Run(
                    _run, ["input_ids", "encoder_attention_mask", "encoder_hidden_states", "use_cache_branch", .. _pastNames],
                    [input, _captionMask, _captions, branch, .. _pastNames.Select(name => _past[name])], outputs),
            ];
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InvalidOperationException($"ONNX Runtime could not run the decoder: {exception.Message}", exception);
        }

        using var logits = given[0];
        TakeLast(logits, width);
        foreach (var (name, value) in outputs.Zip(given).Skip(1))
        {
            var past = PastPrefix + name[PresentPrefix.Length..];
            _past[past].Dispose();
            _past[past] = value;
        }
    }

    /// <summary>The logits after the last column, [all rows codebooks, width, codes], with guidance.</summary>
    private void TakeLast(OrtValue logits, int width)
    {
        var codes = _decoder.CodebookSize;
        for (var row = 0; row < AllRows * _decoder.Codebooks; row++)
        {
            var target = _raw.AsSpan(row * codes, codes);
            var start = ((row + 1) * width - 1) * codes;
            if (logits.GetTensorTypeAndShape().ElementDataType == TensorElementType.Float)
                logits.GetTensorDataAsSpan<float>().Slice(start, codes).CopyTo(target);
            else
                TensorPrimitives.ConvertToSingle(
                    MemoryMarshal.Cast<Float16, Half>(logits.GetTensorDataAsSpan<Float16>()).Slice(start, codes), target);
        }

        if (_guidance == 1)
            _raw.CopyTo(_logits, 0);
        else
            Guidance.Combine(_raw.AsSpan(0, _logits.Length), _raw.AsSpan(_logits.Length), _guidance, _logits);
    }

    /// <summary>Captions, each read alone, below each other: what is missing is zeros that are masked.</summary>
    private (OrtValue States, OrtValue Mask) Read(int[]?[] captions)
    {
        var length = captions.Max(caption => caption?.Length ?? 1);
        var type = _decoder.Decoder.InputMetadata["encoder_hidden_states"];
        var width = type.Dimensions[2];
        var mask = new long[captions.Length * length];
        var bytes = type.ElementDataType == TensorElementType.Float ? sizeof(float) : sizeof(ushort);
        var states = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, type.ElementDataType, [captions.Length, length, width]);
        var memory = states.GetTensorMutableRawData();
        memory.Clear();
        foreach (var (row, caption) in captions.Index())
        {
            if (caption is null)
                continue;
            mask.AsSpan(row * length, caption.Length).Fill(1);
            using var ids = OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(caption, id => (long)id), [1, caption.Length]);
            using var seen = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, caption.Length).ToArray(), [1, caption.Length]);
            using var outputs = _decoder.TextEncoder.Run(
                _run, ["input_ids", "attention_mask"], [ids, seen], ["last_hidden_state"]);
            outputs[0].GetTensorMutableRawData().CopyTo(memory[(row * length * width * bytes)..]);
        }

        return (states, OrtValue.CreateTensorValueFromMemory(mask, [captions.Length, length]));
    }

    private static OrtValue Empty(NodeMetadata metadata) => OrtValue.CreateAllocatedTensorValue(
        OrtAllocator.DefaultInstance, metadata.ElementDataType, [0, metadata.Dimensions[1], 0, metadata.Dimensions[3]]);
}
