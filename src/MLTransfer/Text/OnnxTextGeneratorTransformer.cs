using MLTransfer;
using MLTransfer.Onnx.Generation;
using MLTransfer.Text;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Generation;
using Microsoft.ML;
using Microsoft.ML.Runtime;

[assembly: LoadableClass("Continues prompts with an ONNX language model", typeof(OnnxTextGeneratorTransformer),
    typeof(OnnxTextGeneratorTransformer), null, typeof(SignatureLoadModel), "ONNX text generator",
    OnnxTextGeneratorTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Continues the prompts of a text column with ONNX Runtime; libtorch is neither needed nor loaded. Made by
/// <see cref="GenerationCatalog.LoadOnnx"/>, with the columns of <see cref="TextGeneratorTransformer"/>.
/// </summary>
/// <remarks>A saved model file holds the graph and its weights as they are, <c>config.json</c> and the tokenizer's files.</remarks>
public sealed class OnnxTextGeneratorTransformer : TextContinuationTransformer
{
    internal const string LoaderSignature = "OnnxTextGenerator";

    private readonly IDisposable? _folder;

    /// <param name="model">The model; disposed with this object.</param>
    /// <param name="folder">Where the model's files are, to be disposed with this object; null where they belong to someone else.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="generation">How texts are generated.</param>
    /// <param name="generationBatchSize">Prompts that are continued together.</param>
    /// <param name="publishedEnds">As <see cref="PublishedEnds"/>; null to read them from the model's files.</param>
    internal OnnxTextGeneratorTransformer(
        OnnxTextGenerator model, IDisposable? folder, TextGeneratorColumns columns, GenerationOptions generation, int generationBatchSize,
        IReadOnlyList<int>? publishedEnds = null)
        : base(columns, generation, generationBatchSize)
    {
        (Model, _folder) = (model, folder);
        publishedEnds ??= GenerationConfigurationFile.ReadEndOfSequenceIds(model.Files.Folder);
        PublishedEnds = [.. publishedEnds.Except(model.Generator.EndOfSequenceIds)];
        Chats = new ChatGenerator(model.Generator, model.Tokenizer, PublishedEnds);
    }

    /// <summary>The network and its tokenizer.</summary>
    public OnnxTextGenerator Model { get; }

    /// <inheritdoc cref="TextManifest.PublishedEnds"/>
    internal IReadOnlyList<int> PublishedEnds { get; }

    private protected override ChatGenerator Chats { get; }

    private protected override string ModelName => $"{Model.Configuration["model_type"]}";

    /// <summary>This transformer, if its chats can be read.</summary>
    /// <exception cref="ArgumentException">The model has no such chat template, or it is not valid.</exception>
    internal OnnxTextGeneratorTransformer Checked()
    {
        if (Columns.Chat is { } form)
            Chats.Check(form);
        return this;
    }

    // Called by ML.NET when it loads a model file.
    internal static OnnxTextGeneratorTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => OnnxTextGeneratorFile.Load(ctx);

    private protected override IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> prompts, GenerationOptions options) =>
        Model.Generate(prompts, options);

    private protected override IAsyncEnumerable<string> Stream(
        string prompt, GenerationOptions options, CancellationToken cancellationToken) =>
        Model.StreamAsync(prompt, options, cancellationToken);

    private protected override void Save(ModelSaveContext context) => OnnxTextGeneratorFile.Save(context, this);

    private protected override void Free()
    {
        Model.Dispose();
        _folder?.Dispose();
    }
}
