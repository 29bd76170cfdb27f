using MLTransfer.Audio.Generators;
using MLTransfer;
using MLTransfer.Audio.Onnx;
using MLTransfer.Columns;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Runtime;

[assembly: LoadableClass("Makes sounds with an ONNX export", typeof(OnnxAudioGeneratorTransformer), typeof(OnnxAudioGeneratorTransformer),
    null, typeof(SignatureLoadModel), "ONNX audio generator", OnnxAudioGeneratorTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Makes a sound for each row with ONNX Runtime: music of a caption, or that goes on from a sound, or speech of a text. libtorch is neither
/// needed nor loaded. Made by <see cref="GenerationCatalog.LoadOnnxAudio"/>.
/// </summary>
/// <remarks>
/// The seed and the id of a row decide on what is drawn for it, in any batch, cursor and thread. A saved model file holds the graphs and
/// their weights as they are, <c>config.json</c> and the tokenizer's files.
/// </remarks>
public sealed class OnnxAudioGeneratorTransformer : ColumnMappingTransformer, ISpeechSource
{
    internal const string LoaderSignature = "OnnxAudioGenerator";

    private readonly IDisposable? _folder;

    /// <param name="model">The model; disposed with this object.</param>
    /// <param name="folder">Where the model's files are, to be disposed with this object; null where they belong to someone else.</param>
    /// <param name="output">The column of sounds.</param>
    /// <param name="input">The column of texts, or of sounds that music goes on from; null for none.</param>
    /// <param name="options">Checked options, with a seed.</param>
    /// <exception cref="ArgumentException">An option does not fit the model.</exception>
    internal OnnxAudioGeneratorTransformer(
        OnnxAudioModel model, IDisposable? folder, string output, string? input, OnnxAudioGeneratorOptions options)
        : base(options.GenerationBatchSize)
    {
        model.Check(options);
        if (input is null && !model.ReadsSounds)
            throw new ArgumentException("A VITS speaks texts: name their column as inputColumnName.");
        (Model, _folder, Output, Input, Options) = (model, folder, output, input, options);
    }

    /// <summary>Samples a second of the sounds.</summary>
    public int SampleRate => Model.SampleRate;

    /// <summary>Channels of the sounds.</summary>
    public int Channels => Model.Channels;

    internal OnnxAudioModel Model { get; }

    internal string Output { get; }

    internal string? Input { get; }

    internal OnnxAudioGeneratorOptions Options { get; }

    private protected override IReadOnlyList<OutputColumn> Outputs => [new(Output, WaveformDataViewType.Of(SampleRate, Channels))];

    private ColumnRole? InputRole => Input is null ? null
        : Model.ReadsSounds ? new("input", Input, ColumnKind.Text | ColumnKind.Sound, "text, or a sound that music goes on from")
        : ColumnRole.Text("input", Input);

    private ColumnRole? SpeakerRole =>
        Options.SpeakerColumnName is { } speaker ? AudioGeneratorColumns.SpeakerRoleOf(speaker) : null;

    /// <inheritdoc/>
    bool ISpeechSource.Speaks => Model is OnnxSpeechModel;

    /// <inheritdoc/>
    SpeechOptions? ISpeechSource.Speech => Options.Speech;

    /// <inheritdoc/>
    Waveform ISpeechSource.Speak(string text, string? voice, long? seed, SpeechOptions? options, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        var request = SpeechRequests.Create(text, voice, Model.Speakers, Model.SpeakerCount, seed, Options.Seed!.Value);
        return ((OnnxSpeechModel)Model).Speak(request, options, cancellationToken);
    }

    internal IReadOnlyList<Waveform> Generate(IReadOnlyList<AudioRequest> rows)
    {
        using var hold = Hold();
        return Model.Generate(rows, Options);
    }

    // Called by ML.NET when it loads a model file.
    internal static OnnxAudioGeneratorTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => OnnxAudioGeneratorFile.Load(ctx);

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        [.. new[] { InputRole, SpeakerRole }.OfType<ColumnRole>().Select(role => role.Find(schema)).DistinctBy(column => column.Index)];

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new OnnxAudioBatch(this, source, InputRole?.Find(source.Schema), SpeakerRole?.Find(source.Schema));

    private protected override void Save(ModelSaveContext context) => OnnxAudioGeneratorFile.Save(context, this);

    private protected override void Free()
    {
        Model.Dispose();
        _folder?.Dispose();
    }
}
