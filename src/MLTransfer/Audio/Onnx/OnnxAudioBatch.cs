using MLTransfer.Columns;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio.Onnx;

/// <summary>What some rows ask for, and the sounds that ONNX Runtime makes of them together.</summary>
internal sealed class OnnxAudioBatch : MappedBatch
{
    private readonly OnnxAudioGeneratorTransformer _transformer;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _text;
    private readonly ValueGetter<Waveform>? _sound;
    private readonly List<MusicPrompt> _rows = [];
    private IReadOnlyList<Waveform>? _sounds;

    /// <param name="transformer">Makes the sounds.</param>
    /// <param name="source">The rows.</param>
    /// <param name="input">The column of texts or of sounds; null for none.</param>
    public OnnxAudioBatch(OnnxAudioGeneratorTransformer transformer, DataViewRow source, DataViewSchema.Column? input)
    {
        (_transformer, _id) = (transformer, source.GetIdGetter());
        if (input?.Type is WaveformDataViewType)
            _sound = source.GetGetter<Waveform>(input.Value);
        else if (input is { } column)
            _text = source.GetGetter<ReadOnlyMemory<char>>(column);
    }

    public override void Clear()
    {
        _rows.Clear();
        _sounds = null;
    }

    public override void Read(int slot)
    {
        if (slot < _rows.Count)
            Clear(); // a single row that follows its source
        ReadOnlyMemory<char> text = default;
        Waveform? sound = null;
        DataViewRowId id = default;
        _text?.Invoke(ref text);
        _sound?.Invoke(ref sound!);
        _id(ref id);
        _rows.Add(new MusicPrompt
        {
            Text = text.ToString(),
            Sound = sound,
            Seed = (long)SplitMix64.Mix((ulong)_transformer.Options.Seed!.Value, id.Low, id.High),
        });
    }

    public override Delegate CreateGetter(int column, Func<int> current) => (ValueGetter<Waveform>)((ref Waveform value) =>
    {
        var slot = current();
        _sounds ??= _transformer.Generate(_rows);
        value = _sounds[slot];
    });
}
