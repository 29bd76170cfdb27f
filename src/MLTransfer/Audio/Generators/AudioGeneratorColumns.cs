using System.Text.Json.Serialization;
using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio.Generators;

/// <summary>The columns that an audio generator reads and makes; part of a saved model.</summary>
/// <param name="Output">The column of sounds that are made.</param>
/// <param name="Input">The column of texts, or of sounds that music goes on from; null for none.</param>
/// <param name="Caption">Texts where the input is not them; null for none.</param>
/// <param name="Speaker">Speakers; null for none.</param>
/// <param name="Phonemes">Phonemes in place of texts; null for none.</param>
/// <param name="Seed">Seeds; null where the row's id decides.</param>
internal sealed record AudioGeneratorColumns(
    string Output, string? Input, string? Caption, string? Speaker, string? Phonemes, string? Seed)
{
    private const ColumnKind SpeakerKinds = ColumnKind.Text | ColumnKind.Key | ColumnKind.Number;

    [JsonIgnore]
    public ColumnRole? InputRole => Input is null ? null
        : new("input", Input, ColumnKind.Text | ColumnKind.Sound, "text, or a sound (see LoadAudio) that music goes on from");

    [JsonIgnore]
    public ColumnRole? CaptionRole => Caption is null ? null : ColumnRole.Text("caption", Caption);

    [JsonIgnore]
    public ColumnRole? PhonemeRole => Phonemes is null ? null : ColumnRole.Text("phoneme", Phonemes);

    [JsonIgnore]
    public ColumnRole? SpeakerRole =>
        Speaker is null ? null : new("speaker", Speaker, SpeakerKinds, "a text, a key or a whole number");

    [JsonIgnore]
    public ColumnRole? SeedRole => Seed is null ? null : new("seed", Seed, ColumnKind.Number, "a number");

    /// <summary>The column of sounds that the model learns to make.</summary>
    public static ColumnRole TrainingRole(string column) => new("training", column, ColumnKind.Sound, "a sound (see LoadAudio)");

    public static AudioGeneratorColumns Create(string output, string? input, GenerateAudioOptions options) => new(
        output, input, options.CaptionColumnName, options.SpeakerColumnName, options.PhonemeColumnName, options.SeedColumnName);

    /// <summary>The columns that a transformer reads, as far as a schema's shape tells.</summary>
    [JsonIgnore]
    public IEnumerable<ColumnRole> Roles =>
        new[] { Phonemes is null ? InputRole : null, CaptionRole, PhonemeRole, SpeakerRole, SeedRole }.OfType<ColumnRole>();

    /// <summary>The columns that fitting reads. Seeds are for generation alone; so is the input where training texts have a column of
    /// their own.</summary>
    public IEnumerable<ColumnRole> RolesWith(string trainingColumn)
    {
        var ownTexts = Caption is not null || Phonemes is not null;
        return new[]
        {
            TrainingRole(trainingColumn), InputRole is { } input ? input with { IsOptional = ownTexts } : null, CaptionRole, PhonemeRole,
            SpeakerRole, SeedRole is { } seed ? seed with { IsOptional = true } : null,
        }.OfType<ColumnRole>();
    }

    public OutputColumn OutputOf(AudioGenerationModel? model) =>
        new(Output, model is null ? WaveformDataViewType.Of() : WaveformDataViewType.Of(model.SampleRate, model.Channels));

    /// <summary>The columns that sounds are made from.</summary>
    /// <exception cref="ArgumentException">A column is missing, or is none that the model reads.</exception>
    public AudioInputs FindInputs(DataViewSchema schema, AudioGenerationModel model, bool convertSounds)
    {
        var input = Phonemes is null ? InputRole?.Find(schema) : null;
        var isSound = input?.Type is WaveformDataViewType;
        var text = PhonemeRole?.Find(schema) ?? (isSound ? null : input) ?? CaptionRole?.Find(schema);
        if (isSound && model is SpeechGenerationModel)
            throw InputRole!.OfAnotherShape("a VITS speaks texts", "sounds");
        if (model is SpeechGenerationModel && text is null)
        {
            throw new ArgumentException(
                "A VITS speaks texts: name their column as inputColumnName, or in "
                + $"{nameof(GenerateAudioOptions.CaptionColumnName)} or {nameof(GenerateAudioOptions.PhonemeColumnName)}.");
        }

        CheckTokenizer(text, model);
        if (isSound)
            CheckSounds(InputRole!, input!.Value, model, convertSounds);
        return new AudioInputs(text, isSound ? input : null, SpeakerRole?.Find(schema), SeedRole?.Find(schema));
    }

    /// <summary>The columns that training reads: sounds, and texts and speakers where there are such.</summary>
    /// <exception cref="ArgumentException">A column is missing, or is none that the model learns from.</exception>
    public AudioTrainingInputs FindTraining(DataViewSchema schema, string trainingColumn, AudioGenerationModel model, bool convertSounds)
    {
        var role = TrainingRole(trainingColumn);
        var sound = role.Find(schema);
        CheckSounds(role, sound, model, convertSounds);
        var text = PhonemeRole?.Find(schema) ?? CaptionRole?.Find(schema)
            ?? (InputRole?.Find(schema) is { } input && input.Type is TextDataViewType ? input : null);
        if (model is SpeechGenerationModel speech)
        {
            if (text is null)
            {
                throw new ArgumentException(
                    "A VITS learns from texts and how they sound: name the texts' column as inputColumnName, or in "
                    + $"{nameof(GenerateAudioOptions.CaptionColumnName)}.");
            }

            if (Speaker is null && speech.Network.SpeakerCount > 1)
            {
                throw new ArgumentException(
                    $"The VITS has {speech.Network.SpeakerCount} voices: name the column that says who speaks in "
                    + $"{nameof(GenerateAudioOptions.SpeakerColumnName)}.");
            }
        }

        CheckTokenizer(text, model);
        return new AudioTrainingInputs(sound, text, SpeakerRole?.Find(schema));
    }

    private static void CheckTokenizer(DataViewSchema.Column? text, AudioGenerationModel model)
    {
        if (text is { } column && model is MusicGenerationModel { Tokenizer: null })
        {
            throw new ArgumentException(
                $"The column '{column.Name}' has captions, but the MusicGen's folder has no tokenizer (tokenizer.json). Put that of its "
                + "text encoder there, or train and generate without captions.");
        }
    }

    private static void CheckSounds(ColumnRole role, DataViewSchema.Column column, AudioGenerationModel model, bool convertSounds)
    {
        var type = (WaveformDataViewType)column.Type;
        if (!convertSounds && ((type.SampleRate != 0 && type.SampleRate != model.SampleRate)
            || (type.Channels != 0 && type.Channels != model.Channels)))
        {
            throw role.OfAnotherShape(
                $"the model's sounds have {model.Channels} channel(s) at {model.SampleRate} Hz", $"{type}. {AudioCheck.Remedy(model)}");
        }
    }
}
