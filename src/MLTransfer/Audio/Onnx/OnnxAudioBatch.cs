using MLTransfer.Audio.Generators;
using MLTransfer.Columns;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio.Onnx;

/// <summary>What some rows ask for, and the sounds that ONNX Runtime makes of them together.</summary>
internal sealed class OnnxAudioBatch : MappedBatch
{
    private readonly OnnxAudioGeneratorTransformer _transformer;
    private readonly DataViewRow _source;
    private readonly Func<int?> _speaker;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _text;
    private readonly ValueGetter<Waveform>? _sound;
    private readonly List<AudioRequest> _rows = [];
    private IReadOnlyList<Waveform>? _sounds;

    /// <param name="transformer">Makes the sounds.</param>
    /// <param name="source">The rows.</param>
    /// <param name="input">The column of texts or of sounds; null for none.</param>
    /// <param name="speaker">The column of speakers; null for none.</param>
    public OnnxAudioBatch(
        OnnxAudioGeneratorTransformer transformer, DataViewRow source, DataViewSchema.Column? input, DataViewSchema.Column? speaker)
    {
        (_transformer, _source, _id) = (transformer, source, source.GetIdGetter());
        _speaker = speaker is { } voices ? CreateSpeaker(voices) : () => null;
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
        var seed = (long)SplitMix64.Mix((ulong)_transformer.Options.Seed!.Value, id.Low, id.High);
        _rows.Add(new AudioRequest(text.ToString(), sound, _speaker(), seed));
    }

    public override Delegate CreateGetter(int column, Func<int> current) => (ValueGetter<Waveform>)((ref Waveform value) =>
    {
        var slot = current();
        _sounds ??= _transformer.Generate(_rows);
        value = _sounds[slot];
    });

    private Func<int?> CreateSpeaker(DataViewSchema.Column column)
    {
        var (read, model) = (SpeakerReader.Create(_source, column), _transformer.Model);
        return () => RowCheck.Of<int?>(_source, column, () =>
        {
            var speaker = read();
            return SpeakerFile.Find(model.Speakers, model.SpeakerCount, speaker) ?? throw new ArgumentException(
                $"There is no speaker '{speaker}'. The model has the numbers 0 to {model.SpeakerCount - 1}"
                + (model.Speakers.Count == 0 ? "." : $", of which some have names: {string.Join(", ", model.Speakers.Keys)}."));
        });
    }
}
