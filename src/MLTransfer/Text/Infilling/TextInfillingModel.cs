using Microsoft.ML.Runtime;
using MLTransfer.Cards;
using MLTransfer.Logging;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer;

/// <summary>A network that fills the masks of texts, with its tokenizer. It may be called from several threads.</summary>
/// <remarks>
/// It may be disposed at any time: calls under way go on, later ones are refused, and the network is freed when the last call has ended.
/// </remarks>
public sealed class TextInfillingModel : ITextModel<TextInfillingModel>, ITextEmbedding
{
    private readonly TextInfiller _infiller;

    /// <summary>Puts a network and a tokenizer together.</summary>
    /// <param name="network">The network; disposed with this object.</param>
    /// <param name="tokenizer">The tokenizer that the network was trained with.</param>
    /// <exception cref="ArgumentException">
    /// The network has no output head, or the tokenizer has no mask token or more tokens than the network.
    /// </exception>
    public TextInfillingModel(MaskedLanguageModel network, TextTokenizer tokenizer)
    {
        _infiller = new TextInfiller(network, tokenizer);
        (Network, Tokenizer, Embedder) = (network, tokenizer, new TextEmbedder(network, tokenizer));
    }

    /// <summary>The network.</summary>
    public MaskedLanguageModel Network { get; }

    /// <summary>The tokenizer.</summary>
    public TextTokenizer Tokenizer { get; }

    /// <summary>How masks are filled where a call does not say: as published beside the model (<c>infilling_config.json</c>).</summary>
    public InfillingOptions Infilling { get; internal set; } = new();

    /// <inheritdoc/>
    string ITextEmbedding.ModelName => ((ITextModel)this).Name;

    /// <inheritdoc/>
    TextEmbedder ITextEmbedding.Embedder => Embedder;

    internal TextEmbedder Embedder { get; }

    /// <inheritdoc/>
    ModelCard? ITextModel.Card { get; set; }

    /// <inheritdoc/>
    TransformerNetwork ITextModel.Network => Network;

    /// <inheritdoc/>
    static string ITextModel<TextInfillingModel>.Wanted => "no text infiller";

    /// <summary>Loads a folder in Hugging Face layout.</summary>
    /// <param name="folder">
    /// Has <c>config.json</c>, weights, the tokenizer's files and, where masks are to be filled in another way than by default,
    /// <c>infilling_config.json</c>.
    /// </param>
    /// <exception cref="InvalidDataException">A file is malformed, or the files do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The architecture is not supported, or predicts no masked tokens.</exception>
    public static TextInfillingModel Load(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        return Load(folder, folder);
    }

    /// <inheritdoc/>
    static void ITextModel<TextInfillingModel>.Check(string folder) => MaskedLanguageModel.CheckFamily(folder);

    /// <inheritdoc/>
    static TextInfillingModel ITextModel<TextInfillingModel>.Create(TransformerNetwork network, TextTokenizer tokenizer, string origin) =>
        new(MaskedLanguageModel.Masked(network, origin), tokenizer);

    /// <inheritdoc/>
    static TextInfillingModel ITextModel<TextInfillingModel>.Load(string folderOrHubId, string folder, bool keepsMatrices) =>
        Load(folderOrHubId, folder, keepsMatrices);

    /// <inheritdoc/>
    TextInfillingModel ITextModel<TextInfillingModel>.With(TransformerNetwork network, TextTokenizer tokenizer)
    {
        var model = new TextInfillingModel((MaskedLanguageModel)network, tokenizer) { Infilling = Infilling };
        ((ITextModel)model).Card = ((ITextModel)this).Card;
        return model;
    }

    /// <summary>Fills the masks of a text.</summary>
    /// <param name="text">The text; its masks are <c>[MASK]</c> or the tokenizer's own.</param>
    /// <param name="options">Null for <see cref="Infilling"/>.</param>
    /// <param name="cancellationToken">Ends the work between two passes.</param>
    /// <returns>The text.</returns>
    public string Infill(string text, InfillingOptions? options = null, CancellationToken cancellationToken = default) =>
        Infill([text], options, cancellationToken)[0].Text;

    /// <summary>Fills the masks of texts.</summary>
    /// <param name="texts">The texts; their masks are <c>[MASK]</c> or the tokenizer's own.</param>
    /// <param name="options">Null for <see cref="Infilling"/>.</param>
    /// <param name="cancellationToken">Ends the work between two passes.</param>
    /// <inheritdoc cref="TextInfiller.Infill" path="/returns"/>
    /// <exception cref="ArgumentException">An option or a text is not valid.</exception>
    public IReadOnlyList<InfilledText> Infill(
        IReadOnlyList<string> texts, InfillingOptions? options = null, CancellationToken cancellationToken = default) =>
        _infiller.Infill(texts, options ?? Infilling, cancellationToken);

    /// <inheritdoc cref="TextInfiller.Score"/>
    public IReadOnlyList<PseudoLogLikelihood> Score(
        IReadOnlyList<string> texts, int batchSize = 32, CancellationToken cancellationToken = default) =>
        _infiller.Score(texts, batchSize, cancellationToken);

    /// <inheritdoc cref="TextInfiller.Evaluate"/>
    public MaskedPrediction Evaluate(
        IReadOnlyList<string> texts, double share = 0.15, bool wholeWords = false, long seed = 0, int batchSize = 32,
        CancellationToken cancellationToken = default) =>
        _infiller.Evaluate(texts, share, wholeWords, seed, batchSize, cancellationToken);

    /// <summary>Makes a vector of each text.</summary>
    /// <inheritdoc cref="TextEmbedder.Embed"/>
    public IReadOnlyList<TextEmbedding> Embed(
        IReadOnlyList<string> texts, int batchSize = 32, CancellationToken cancellationToken = default) =>
        Embedder.Embed(texts, batchSize, cancellationToken);

    /// <summary>
    /// Writes the model in Hugging Face layout: <c>config.json</c>, <c>model.safetensors</c>, the tokenizer's files, a model card, and
    /// <see cref="Infilling"/> as <c>infilling_config.json</c>.
    /// </summary>
    /// <param name="folder">A new or empty folder, or one that holds a model, which is replaced.</param>
    /// <param name="weightType">The number format of the stored weights.</param>
    /// <exception cref="IOException">The folder holds something else than a model, or cannot be written.</exception>
    /// <exception cref="InvalidOperationException">The network has adapters that are not merged.</exception>
    public void Save(string folder, WeightType weightType = WeightType.Float32) => Save(folder, weightType, Infilling);

    /// <inheritdoc cref="Save(string, WeightType)"/>
    internal void Save(string folder, WeightType weightType, InfillingOptions infilling)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var hold = Network.Hold();
        if (Network.Lora is not null)
            throw new InvalidOperationException("The network has LoRA adapters. Merge them into its weights first.");
        ModelFolder.Write(folder, ModelConfigurationFile.FileName, inside =>
        {
            Network.Save(inside, weightType.ToScalarType());
            Tokenizer.Save(inside);
            InfillingOptionsFile.Write(inside, infilling);
            ModelCardFile.Write(
                inside, folder, new CardKind("text infiller", "transformers", "fill-mask", $"{Network.Configuration["model_type"]}"),
                ((ITextModel)this).Card);
        });
    }

    /// <summary>Writes the model as ONNX.</summary>
    internal IReadOnlyList<OnnxExportedFile> ExportToOnnx(
        string folder, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken) =>
        OnnxExporter.Export(Network, Tokenizer, folder, options, new OnnxExportLog(channel, "logits"), cancellationToken);

    /// <summary>The model that fills masks with a number format: this one, or a new one that shares what it can.</summary>
    internal TextInfillingModel ConvertTo(DecodingPrecision precision)
    {
        using var hold = Network.Hold();
        if (precision == DecodingPrecision.Float32 || Network.IsQuantized)
            return this;
        var network = (MaskedLanguageModel)DecodingNetwork.Of(Network, precision);
        return Ownership.Pass(network, () => new TextInfillingModel(network, Tokenizer) { Infilling = Infilling });
    }

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();

    private static TextInfillingModel Load(string folderOrHubId, string folder, bool keepsMatrices = false)
    {
        MaskedLanguageModel.CheckFamily(folder); // first: what fills no masks needs no tokenizer
        var tokenizer = TextTokenizer.Load(folder); // next: it is small, and fails early
        var infilling = InfillingOptions.FromPretrained(folder);
        var network = MaskedLanguageModel.Load(folder, keepsMatrices: keepsMatrices);
        try
        {
            var model = new TextInfillingModel(network, tokenizer) { Infilling = infilling };
            ((ITextModel)model).Card = new ModelCard(BaseOrigin.Read(folderOrHubId, folder));
            return model;
        }
        catch (ArgumentException exception)
        {
            network.Dispose();
            throw new InvalidDataException($"{folder}: {exception.Message}", exception);
        }
    }
}
