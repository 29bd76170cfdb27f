using MLTransfer;
using MLTransfer.Audio.Generators;
using MLTransfer.Cards;
using MLTransfer.Columns;
using MLTransfer.Onnx;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

[assembly: LoadableClass("Makes sounds with a MusicGen or a VITS", typeof(AudioGeneratorTransformer), typeof(AudioGeneratorTransformer),
    null, typeof(SignatureLoadModel), "Audio generator", AudioGeneratorTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Makes a sound for each row: music of a caption, or that goes on from a sound, or speech of a text. Made by
/// <see cref="AudioGeneratorEstimator"/> or <see cref="PretrainedAudioGeneratorEstimator"/>.
/// </summary>
/// <remarks>
/// Sounds are made in batches of <see cref="GenerationBatchSize"/> rows, and only where the output column is asked for. Where no column has
/// seeds, <see cref="Seed"/> and the id of the row decide on what is drawn: the same data gives the same sounds in any batch, cursor and
/// thread, a row keeps its sound when others are filtered out, and two rows of one text differ. A <c>PredictionEngine</c> numbers its
/// calls: the first one gives the sound of the first row. A text of which a VITS knows no character is a sound without samples.
/// </remarks>
public sealed class AudioGeneratorTransformer : ColumnMappingTransformer, IOnnxExport, IModelFolder, IAudioEvaluation, ISpeechSource
{
    internal const string LoaderSignature = "AudioGenerator";

    internal AudioGeneratorTransformer(
        AudioGenerationModel model, AudioGeneratorColumns columns, AudioGeneration generation, int generationBatchSize,
        WeightType weightType)
        : base(generationBatchSize) =>
        (Model, Columns, Generation, GenerationBatchSize, WeightType) = (model, columns, generation, generationBatchSize, weightType);

    /// <summary>The network, with what reads its texts: a <see cref="MusicGenerationModel"/> or a
    /// <see cref="SpeechGenerationModel"/>.</summary>
    public AudioGenerationModel Model { get; }

    /// <summary>Sounds that are made together.</summary>
    public int GenerationBatchSize { get; }

    /// <summary>Decides what rows without a seed of their own draw.</summary>
    public long Seed => Generation.Seed;

    /// <summary>The number format of weights in a saved model file.</summary>
    public WeightType WeightType { get; }

    /// <summary>
    /// How training went, a <see cref="MusicTrainingResult"/> or a <see cref="SpeechTrainingResult"/>; null where there was none in this
    /// process.
    /// </summary>
    public AudioTrainingResult? TrainingResult { get; internal init; }

    /// <summary>The model that the adapters belong to, where only they are saved.</summary>
    internal BaseModelReference? AdaptersOf { get; init; }

    internal AudioGeneratorColumns Columns { get; }

    internal AudioGeneration Generation { get; }

    private protected override IReadOnlyList<OutputColumn> Outputs => [Columns.OutputOf(Model)];

    /// <inheritdoc/>
    AudioGenerationModel IAudioEvaluation.Model
    {
        get
        {
            using var hold = Hold();
            return Model;
        }
    }

    /// <inheritdoc/>
    bool ISpeechSource.Speaks => Model is SpeechGenerationModel;

    /// <inheritdoc/>
    SpeechOptions? ISpeechSource.Speech => Generation.Speech;

    /// <inheritdoc/>
    Waveform ISpeechSource.Speak(string text, string? voice, long? seed, SpeechOptions? options, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        var model = (SpeechGenerationModel)Model;
        var request = SpeechRequests.Create(text, voice, model.Speakers, model.Network.SpeakerCount, seed, Seed);
        return model.Generate([request], options, cancellationToken)[0];
    }

    /// <summary>The model in memory of its own.</summary>
    internal AudioGenerationModel CopyModel(Device device)
    {
        using var hold = Hold();
        return Model.Copy(device);
    }

    /// <inheritdoc/>
    IReadOnlyList<OnnxExportedFile> IOnnxExport.ExportToOnnx(
        string path, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        return Model.ExportToOnnx(path, options, Generation, channel, cancellationToken);
    }

    /// <inheritdoc/>
    void IModelFolder.SaveModelFolder(string folder, WeightType weightType)
    {
        using var hold = Hold();
        using var model = Model.Hold();
        ModelFolder.Write(folder, ModelConfigurationFile.FileName, inside =>
        {
            Model.Save(inside, weightType);
            ModelCardFile.Write(inside, folder, Model.CardKind, Model.Card);
        });
    }

    /// <inheritdoc/>
    MusicEvaluationResult IAudioEvaluation.EvaluateCodes(IDataView data, string soundColumn, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        if (Model is not MusicGenerationModel music)
            throw new ArgumentException($"Codes are evaluated of a MusicGen; the model is {Model.Kind}.");
        var reader = Reader(data, soundColumn);
        var cache = new SoundCodeCache(music.Network, folder: null);
        MusicExample[] examples = [.. reader.Read(cancellationToken).Select(row => new MusicExample(row.Text, cache.Encode(row.Sound)))];
        return MusicEvaluator.Evaluate(music.Network, examples, music.Tokenizer, cancellationToken: cancellationToken);
    }

    /// <inheritdoc/>
    IEnumerable<Waveform> IAudioEvaluation.ReadSounds(IDataView data, string soundColumn, CancellationToken cancellationToken)
    {
        var role = AudioGeneratorColumns.TrainingRole(soundColumn);
        var inputs = new AudioTrainingInputs(role.Find(data.Schema), null, null);
        return new AudioTrainingReader(data, inputs, Model, Generation.ConvertSounds).Read(cancellationToken).Select(row => row.Sound);
    }

    /// <inheritdoc/>
    IEnumerable<Waveform> IAudioEvaluation.GenerateSounds(IDataView data, CancellationToken cancellationToken)
    {
        foreach (var sound in Transform(data).GetColumn<Waveform>(Columns.Output))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return sound;
        }
    }

    internal IReadOnlyList<Waveform> Generate(IReadOnlyList<AudioRequest> requests)
    {
        using var hold = Hold();
        using var model = Model.Hold();
        return Model.Generate(requests, Generation);
    }

    // Called by ML.NET when it loads a model file.
    internal static AudioGeneratorTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        AudioGeneratorFile.Load(ctx, ComputeDevice.Of(env));

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        Columns.FindInputs(schema, Model, Generation.ConvertSounds).All;

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new GeneratedAudioBatch(this, source, Columns.FindInputs(source.Schema, Model, Generation.ConvertSounds));

    private protected override void Save(ModelSaveContext context) => AudioGeneratorFile.Save(context, this);

    private protected override void Free() => Model.Dispose();

    private AudioTrainingReader Reader(IDataView data, string soundColumn) => new(
        data, Columns.FindTraining(data.Schema, soundColumn, Model, Generation.ConvertSounds), Model, Generation.ConvertSounds);
}
