using MLTransfer;
using MLTransfer.Onnx;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Text.Chats;
using MLTransfer.Text.Preferences;
using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Microsoft.ML.Runtime;

[assembly: LoadableClass("Continues prompts with a language model", typeof(TextGeneratorTransformer), typeof(TextGeneratorTransformer),
    null, typeof(SignatureLoadModel), "Text generator", TextGeneratorTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Continues the prompts of a text column with TorchSharp. Made by <see cref="TextGeneratorEstimator"/> or
/// <see cref="PretrainedTextGeneratorEstimator"/>.
/// </summary>
public sealed class TextGeneratorTransformer : TextContinuationTransformer, IOnnxExport, IGgufExport, IModelFolder, ITextEvaluation,
    ITextGenerator, ITextEmbedding, IPreferenceEvaluation, ITextModelOwner<TextGenerationModel>
{
    internal const string LoaderSignature = "TextGenerator";

    private readonly bool _ownsModel;
    private readonly Lazy<TextGenerationModel> _decoder;

    internal TextGeneratorTransformer(
        TextGenerationModel model,
        bool ownsModel,
        TextGeneratorColumns columns,
        GenerationOptions generation,
        int generationBatchSize,
        DecodingPrecision decodingPrecision,
        WeightType weightType,
        TextRowForm? rowForm = null,
        BaseModelReference? baseModel = null,
        TrainingResult? trainingResult = null)
        : base(columns, generation, generationBatchSize)
    {
        (Model, _ownsModel) = (model, ownsModel);
        (DecodingPrecision, WeightType, RowForm) = (decodingPrecision, weightType, rowForm ?? new TextRowForm());
        (BaseModel, TrainingResult) = (baseModel, trainingResult);
        _decoder = new Lazy<TextGenerationModel>(() => model.ConvertTo(decodingPrecision));
    }

    /// <summary>The network and its tokenizer.</summary>
    public TextGenerationModel Model { get; }

    /// <summary>The number format that texts are generated with.</summary>
    public DecodingPrecision DecodingPrecision { get; }

    /// <summary>The number format of weights in a saved model file.</summary>
    public WeightType WeightType { get; }

    /// <summary>How training went; null where there was none in this process.</summary>
    public TrainingResult? TrainingResult { get; }

    /// <summary>The model that the adapters belong to, where only they are saved.</summary>
    internal BaseModelReference? BaseModel { get; }

    /// <inheritdoc/>
    BaseModelReference? ITextModelOwner<TextGenerationModel>.BaseModel => BaseModel;

    /// <summary>How texts become rows: as in training, or as by default where there was none.</summary>
    internal TextRowForm RowForm { get; }

    /// <inheritdoc/>
    TextGenerationModel ITextGenerator.Generator
    {
        get
        {
            using var hold = Hold();
            return _decoder.Value;
        }
    }

    private protected override string ModelName => ((ITextModel)Model).Name;

    /// <inheritdoc/>
    string ITextEmbedding.ModelName => ModelName;

    /// <inheritdoc/>
    TextEmbedder ITextEmbedding.Embedder
    {
        get
        {
            using var hold = Hold();
            return Model.Embedder;
        }
    }

    /// <inheritdoc/>
    TextBaseModel<TextGenerationModel> ITextModelOwner<TextGenerationModel>.CopyModel(bool keepsMatrices)
    {
        using var hold = Hold();
        return TextBaseModel<TextGenerationModel>.CopyOf(Model, keepsMatrices, BaseModel);
    }

    /// <inheritdoc/>
    IReadOnlyList<OnnxExportedFile> IOnnxExport.ExportToOnnx(
        string path, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        options ??= new OnnxExportOptions();
        return Model.ExportToOnnx(path, options with { Generation = options.Generation ?? Generation }, channel, cancellationToken);
    }

    /// <inheritdoc/>
    IReadOnlyList<GgufExportedFile> IGgufExport.ExportToGguf(
        string path, GgufExportOptions? options, IChannel channel, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        return Model.ExportToGguf(path, options, channel, cancellationToken);
    }

    /// <inheritdoc/>
    void IModelFolder.SaveModelFolder(string folder, WeightType weightType)
    {
        using var hold = Hold();
        using var merged = LoadMergedModel();
        (merged ?? Model).Save(folder, weightType);
    }

    /// <inheritdoc/>
    TextGenerationMetrics ITextEvaluation.Evaluate(IDataView data, string? textColumn, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        if (textColumn is null)
            RefuseChatsOfPreferences();
        if (textColumn is null && Columns.Chat is not null)
            return ChatRows.Evaluate(Model, data, Columns, RowForm, cancellationToken);
        var texts = textColumn is null
            ? TrainingTexts.Read(data, Columns, Model.Tokenizer, Model.Network, cancellationToken)
            : TrainingTexts.Read(data, textColumn, Model.Tokenizer, Model.Network, cancellationToken);
        return TextEvaluator.Evaluate(Model, texts, RowForm, cancellationToken);
    }

    /// <inheritdoc/>
    TextMemorization ITextEvaluation.EvaluateMemorization(
        IDataView data, TextMemorizationOptions options, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        RefuseChatsOfPreferences();
        var generation = options.Check(Generation) with { BatchSize = GenerationBatchSize };
        return TextMemorizationEvaluator.Evaluate(
            data, Columns, options, Model.Tokenizer, prompts => Columns.Chat is { } form
                ? Chats.Generate([.. prompts.Select(ChatMessages.OfPrompt)], form, generation, (_, error) => error, cancellationToken)
                : _decoder.Value.Generate(prompts, generation, cancellationToken),
            cancellationToken);
    }

    /// <inheritdoc/>
    PreferenceMetrics IPreferenceEvaluation.Evaluate(
        IDataView data, TextGenerationModel reference, PreferenceEvaluationOptions options, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        return TextPreferenceEvaluator.Evaluate(Model, reference, data, options.ColumnsOf(Columns), RowForm, options, cancellationToken);
    }

    private void RefuseChatsOfPreferences()
    {
        if (Columns is { Chat: not null, ArePreferences: true })
        {
            throw new ArgumentException(
                "The model was tuned by preferences between answers to chats: ml.Generation.EvaluatePreferences measures those. For whole "
                + "texts name their column.");
        }
    }

    /// <summary>The model with its adapters merged, as a new object; null where there are none.</summary>
    private TextGenerationModel? LoadMergedModel() => BaseModel is null ? null : TextModelFile.LoadMerged(Model, BaseModel);

    private protected override ChatGenerator Chats => _decoder.Value.Chats;

    // Called by ML.NET when it loads a model file.
    internal static TextGeneratorTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        TextGeneratorFile.Load(ctx, ComputeDevice.Of(env));

    private protected override IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> prompts, GenerationOptions options) =>
        _decoder.Value.Generate(prompts, options);

    private protected override IAsyncEnumerable<string> Stream(
        string prompt, GenerationOptions options, CancellationToken cancellationToken) =>
        _decoder.Value.StreamAsync(prompt, options, cancellationToken);

    private protected override void Save(ModelSaveContext context) => TextGeneratorFile.Save(context, this);

    private protected override void Free()
    {
        if (_decoder.IsValueCreated && _decoder.Value != Model)
            _decoder.Value.Dispose();
        if (_ownsModel)
            Model.Dispose();
    }
}
