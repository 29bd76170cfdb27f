using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Audio.Generators;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>How an audio generator makes sounds, and of which columns.</summary>
public class GenerateAudioOptions
{
    /// <summary>
    /// How a MusicGen generates; null for the defaults of the class. Its seed and its batch size stay as they are: <see cref="Seed"/> and
    /// <see cref="GenerationBatchSize"/> decide.
    /// </summary>
    public MusicGenerationOptions? Music;

    /// <summary>How a VITS speaks; null for what its <c>config.json</c> says. Its seed stays as it is: <see cref="Seed"/>
    /// decides.</summary>
    public SpeechOptions? Speech;

    /// <summary>
    /// The text column with captions, where the input column is not it: beside sounds as prompts, or in training. Null for none but the
    /// input column, where that is text. A MusicGen takes a row without a caption as one of which nothing is said; a VITS speaks the texts
    /// of this column.
    /// </summary>
    public string? CaptionColumnName;

    /// <summary>
    /// The column of speakers of a VITS: a text, a key or a whole number. A whole number, also as a text, is a speaker's number, from 0;
    /// other texts, and those that a key stands for, are names, which the model keeps; a key that stands for nothing is a number, its first
    /// value 0. Training adds a voice for each speaker that the network does not know: names get the numbers behind those that there are.
    /// Null for the one voice, or that of <see cref="SpeechOptions.Speaker"/>.
    /// </summary>
    public string? SpeakerColumnName;

    /// <summary>The text column of phonemes, for a VITS that reads them (<c>phonemize</c>), in place of texts; null for none.</summary>
    public string? PhonemeColumnName;

    /// <summary>
    /// Makes phonemes of a text, for a VITS that reads them (<c>phonemize</c>), as the program espeak does; null for none. A model file
    /// does
    /// not keep it: give it again with <c>GenerateAudio</c> over that file.
    /// </summary>
    public Func<string, string>? Phonemize;

    /// <summary>
    /// Transliterates a text into Latin letters, for a VITS that reads those alone (<c>is_uroman</c>), as the program uroman does; null for
    /// none. A model file does not keep it.
    /// </summary>
    public Func<string, string>? Romanize;

    /// <summary>
    /// The column of whole numbers that decide what is drawn for each row; null to have <see cref="Seed"/> and the id of the row
    /// (<c>DataViewRow.GetIdGetter</c>) decide, so that a row keeps its sound, and two rows of one text differ.
    /// </summary>
    public string? SeedColumnName;

    /// <summary>Decides what is drawn; null for the seed of the <see cref="MLContext"/>, a random one where it has none.</summary>
    public long? Seed;

    /// <summary>
    /// Whether sounds that are read, as prompts or to train on, are resampled and mixed where they have another rate or other channels than
    /// the model's; else they are refused.
    /// </summary>
    public bool ConvertSounds;

    /// <summary>Sounds that are made together, up to 4096. Any number gives the same sounds.</summary>
    public int GenerationBatchSize = 4;

    /// <summary>The number format in which a saved model file holds the weights.</summary>
    public WeightType WeightType = WeightType.Float32;

    /// <exception cref="ArgumentException">An option is not usable.</exception>
    internal virtual void Check()
    {
        Music?.Check();
        Speech?.Check();
        if ((Music?.Seed ?? Speech?.Seed) is { } seed)
        {
            var option = Music?.Seed is not null ? nameof(Music) : nameof(Speech);
            throw new ArgumentException($"{option}.Seed is {seed}, but the own option {nameof(Seed)} decides: set that one.", option);
        }

        if (Music is { } music && music.BatchSize != new MusicGenerationOptions().BatchSize)
        {
            throw new ArgumentException(
                $"{nameof(Music)}.{nameof(music.BatchSize)} is {music.BatchSize}, but the own option "
                + $"{nameof(GenerationBatchSize)} decides: "
                + "set that one.", nameof(Music));
        }

        OptionCheck.ColumnName(nameof(CaptionColumnName), CaptionColumnName);
        OptionCheck.ColumnName(nameof(SpeakerColumnName), SpeakerColumnName);
        OptionCheck.ColumnName(nameof(PhonemeColumnName), PhonemeColumnName);
        OptionCheck.ColumnName(nameof(SeedColumnName), SeedColumnName);
        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        OptionCheck.AtMost(nameof(GenerationBatchSize), GenerationBatchSize, 4096, "the largest batch");
        OptionCheck.Defined(nameof(WeightType), WeightType);
    }

    /// <exception cref="ArgumentException">An option does not fit the model.</exception>
    internal void CheckFor(AudioGenerationModel model)
    {
        if (model is SpeechGenerationModel speech)
        {
            Refuse(Music is not null, nameof(Music), "is how a MusicGen generates");
            if (PhonemeColumnName is not null && !speech.Tokenizer.ReadsPhonemes)
                Refuse(true, nameof(PhonemeColumnName), "is for one that reads phonemes (phonemize of its tokenizer_config.json)");
            if (SpeakerColumnName is not null && Speech?.Speaker is { } speaker)
            {
                throw new ArgumentException(
                    $"{nameof(Speech)}.{nameof(Speech.Speaker)} is {speaker}, but {nameof(SpeakerColumnName)} says who speaks each row. "
                    + "Leave one of them out.");
            }
        }
        else
        {
            Refuse(Speech is not null, nameof(Speech), "is how a VITS speaks");
            Refuse(SpeakerColumnName is not null, nameof(SpeakerColumnName), "is for a VITS");
            Refuse(PhonemeColumnName is not null, nameof(PhonemeColumnName), "is for a VITS");
            Refuse(Phonemize is not null, nameof(Phonemize), "is for a VITS");
            Refuse(Romanize is not null, nameof(Romanize), "is for a VITS");
        }

        void Refuse(bool isSet, string option, string why)
        {
            if (isSet)
                throw new ArgumentException($"{option} {why}; the model is {model.Kind}. Leave it out.", option);
        }
    }

    /// <exception cref="ArgumentException">The model reads phonemes, and there are none.</exception>
    internal void CheckPhonemes(AudioGenerationModel model)
    {
        if (model is SpeechGenerationModel { Tokenizer: { ReadsPhonemes: true, Phonemize: null } } && PhonemeColumnName is null
            && Speech?.TextsArePhonemes != true)
        {
            throw new ArgumentException(
                $"The VITS reads phonemes (phonemize of its tokenizer_config.json): name their column in {nameof(PhonemeColumnName)}, give "
                + $"a function that makes them ({nameof(Phonemize)}), or say that the texts are phonemes "
                + $"({nameof(Speech)}.{nameof(SpeechOptions.TextsArePhonemes)}).");
        }
    }

    internal AudioGeneration ToGeneration(long seed) => new()
    {
        Music = Music, Speech = PhonemeColumnName is null ? Speech : (Speech ?? new()) with { TextsArePhonemes = true },
        ConvertSounds = ConvertSounds, Seed = seed,
    };
}
