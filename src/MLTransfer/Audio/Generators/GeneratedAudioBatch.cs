using System.Globalization;
using MLTransfer.Columns;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio.Generators;

/// <summary>What some rows ask for, and the sounds that are made of them together.</summary>
internal sealed class GeneratedAudioBatch : MappedBatch
{
    private readonly AudioGeneratorTransformer _transformer;
    private readonly DataViewRow _source;
    private readonly AudioInputs _inputs;
    private readonly ValueGetter<DataViewRowId> _id;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _text;
    private readonly ValueGetter<Waveform>? _sound;
    private readonly Func<string>? _speaker;
    private readonly Func<string>? _seed;
    private readonly List<AudioRequest> _requests = [];
    private IReadOnlyList<Waveform>? _sounds;

    public GeneratedAudioBatch(AudioGeneratorTransformer transformer, DataViewRow source, AudioInputs inputs)
    {
        (_transformer, _source, _inputs, _id) = (transformer, source, inputs, source.GetIdGetter());
        _text = inputs.Text is { } text ? source.GetGetter<ReadOnlyMemory<char>>(text) : null;
        _sound = inputs.Sound is { } sound ? source.GetGetter<Waveform>(sound) : null;
        _speaker = inputs.Speaker is { } speaker ? SpeakerReader.Create(source, speaker) : null;
        _seed = inputs.Seed is { } seed ? SpeakerReader.Create(source, seed) : null;
    }

    public override void Clear()
    {
        _requests.Clear();
        _sounds = null;
    }

    public override void Read(int slot)
    {
        if (slot < _requests.Count)
            Clear(); // a single row that follows its source
        _requests.Add(new AudioRequest(ReadText(), ReadSound(), ReadSpeaker(), ReadSeed()));
    }

    public override Delegate CreateGetter(int column, Func<int> current) => (ValueGetter<Waveform>)((ref Waveform value) =>
    {
        var slot = current();
        _sounds ??= _transformer.Generate(_requests);
        value = _sounds[slot];
    });

    private string? ReadText()
    {
        if (_text is null)
            return null;
        ReadOnlyMemory<char> value = default;
        _text(ref value);
        return value.ToString();
    }

    private Waveform? ReadSound()
    {
        if (_sound is null)
            return null;
        Waveform value = null!;
        _sound(ref value);
        return Checked(_inputs.Sound!.Value, () =>
            AudioCheck.Read(value, _transformer.Model, _transformer.Generation.ConvertSounds));
    }

    private int? ReadSpeaker() => _speaker is null || _transformer.Model is not SpeechGenerationModel model ? null
        : Checked<int?>(_inputs.Speaker!.Value, () =>
        {
            var speaker = _speaker();
            return model.FindSpeaker(speaker) ?? throw new ArgumentException(
                $"There is no speaker '{speaker}'. The model has the numbers 0 to {model.Network.SpeakerCount - 1}"
                + (model.Speakers.Count == 0 ? "." : $", of which some have names: {string.Join(", ", model.Speakers.Keys)}."));
        });

    private long ReadSeed()
    {
        if (_seed is not null)
            return Checked(_inputs.Seed!.Value, () => long.Parse(_seed(), CultureInfo.InvariantCulture));
        DataViewRowId id = default;
        _id(ref id);
        return (long)SplitMix64.Mix((ulong)_transformer.Generation.Seed, id.Low, id.High);
    }

    private T Checked<T>(DataViewSchema.Column column, Func<T> read) => RowCheck.Of(_source, column, read);
}
