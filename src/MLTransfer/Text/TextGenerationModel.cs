using MLTransfer.Text;
using MLTransfer.Cards;
using MLTransfer.Logging;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Writing;
using MLTransfer.Persistence;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>A language model with its tokenizer. Generation may be called from several threads.</summary>
/// <remarks>
/// It may be disposed at any time: calls under way go on, later ones are refused, and the network is freed when the last call has ended.
/// </remarks>
public sealed partial class TextGenerationModel : ITextModel<TextGenerationModel>, ITextResponder, ITextEmbedding
{
    private readonly TextGenerator _generator;
    private readonly Lazy<ChatGenerator> _chats;

    /// <summary>Puts a network and a tokenizer together.</summary>
    /// <param name="network">A decoder, or an encoder with a decoder; disposed with this object.</param>
    /// <param name="tokenizer">The tokenizer that the network was trained with.</param>
    /// <exception cref="ArgumentException">The network writes no texts, or the tokenizer has more tokens than it.</exception>
    public TextGenerationModel(TransformerNetwork network, TextTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (tokenizer.VocabularySize > network.VocabularySize)
        {
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens, but the network only {network.VocabularySize}. "
                + "Use the model's own tokenizer.", nameof(tokenizer));
        }

        (Network, Tokenizer) = (network, tokenizer);
        _chats = new Lazy<ChatGenerator>(() => new ChatGenerator(_generator!, tokenizer, PublishedEnds));
        _generator = new TextGenerator(network, tokenizer);
        Embedder = new TextEmbedder(network, tokenizer);
    }

    /// <summary>The network.</summary>
    public TransformerNetwork Network { get; }

    /// <summary>The tokenizer.</summary>
    public TextTokenizer Tokenizer { get; }

    /// <inheritdoc/>
    string ITextEmbedding.ModelName => ((ITextModel)this).Name;

    /// <inheritdoc/>
    TextEmbedder ITextEmbedding.Embedder => Embedder;

    internal TextEmbedder Embedder { get; }

    /// <summary>What a model card tells; null where nothing is known of the model.</summary>
    internal ModelCard? Card { get; set; }

    /// <summary>
    /// The tokens that end a text by the <c>generation_config.json</c> beside the model, but for those that end every text of it.
    /// </summary>
    internal IReadOnlyList<int> PublishedEnds
    {
        get;
        set => field = [.. value.Except(_generator.EndOfSequenceIds)];
    } = [];

    /// <inheritdoc/>
    ModelCard? ITextModel.Card
    {
        get => Card;
        set => Card = value;
    }

    /// <inheritdoc/>
    void ITextModel.TakeNotes(ITextModel from) =>
        (Card, PublishedEnds) = (from.Card, ((TextGenerationModel)from).PublishedEnds);

    /// <inheritdoc/>
    static string ITextModel<TextGenerationModel>.Wanted => "no text generator";

    /// <summary>Loads a folder in Hugging Face layout, or a GGUF file.</summary>
    /// <param name="folder">Has <c>config.json</c>, weights and the tokenizer's files; or the path of a file <c>*.gguf</c>.</param>
    /// <exception cref="InvalidDataException">A file is malformed, or the files do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The architecture or the kind of tokenizer is not supported.</exception>
    public static TextGenerationModel Load(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        return Load(folder, folder);
    }

    /// <summary>Loads a folder in Hugging Face layout.</summary>
    /// <param name="folderOrHubId">As the user names it.</param>
    /// <param name="folder">Where it is.</param>
    /// <param name="keepsMatrices">Whether matrices stay in the type of the file.</param>
    static TextGenerationModel ITextModel<TextGenerationModel>.Load(string folderOrHubId, string folder, bool keepsMatrices) =>
        Load(folderOrHubId, folder, keepsMatrices);

    /// <inheritdoc/>
    TextGenerationModel ITextModel<TextGenerationModel>.With(TransformerNetwork network, TextTokenizer tokenizer) =>
        new(network, tokenizer) { Card = Card, PublishedEnds = PublishedEnds };

    /// <inheritdoc/>
    static void ITextModel<TextGenerationModel>.Check(string folder) => TextWriting.Check(folder);

    /// <inheritdoc/>
    static TextGenerationModel ITextModel<TextGenerationModel>.Create(TransformerNetwork network, TextTokenizer tokenizer, string origin) =>
        new(TextWriting.Checked(network, origin), tokenizer);

    private static TextGenerationModel Load(string folderOrHubId, string folder, bool keepsMatrices = false)
    {
        TextWriting.Check(folder); // first: what writes no texts needs no tokenizer
        var tokenizer = TextTokenizer.Load(folder); // next: it is small, and fails early
        var ends = GenerationConfigurationFile.ReadEndOfSequenceIds(folder);
        var network = TransformerNetwork.Load(folder, keepsMatrices: keepsMatrices);
        return Ownership.Pass(network, () =>
        {
            try
            {
                return new TextGenerationModel(network, tokenizer)
                {
                    Card = new ModelCard(BaseOrigin.Read(folderOrHubId, folder)), PublishedEnds = ends,
                };
            }
            catch (ArgumentException exception)
            {
                throw new InvalidDataException($"{folder}: {exception.Message}", exception);
            }
        });
    }

    /// <summary>Continues one prompt, or answers it where an encoder reads it.</summary>
    /// <returns>The generated text, without the prompt.</returns>
    /// <param name="prompt">May be empty.</param>
    /// <param name="options">Null for greedy generation with the default length.</param>
    /// <param name="cancellationToken">Stops generation.</param>
    public string Generate(string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        Generate([prompt], options, cancellationToken)[0][0].Text;

    /// <summary>Continues several prompts together.</summary>
    /// <returns>For each prompt its generated texts, best first, without the prompt.</returns>
    /// <param name="prompts">May be empty texts.</param>
    /// <param name="options">Null for greedy generation with the default length.</param>
    /// <param name="cancellationToken">Stops generation.</param>
    public IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> prompts, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        return _generator.Generate(prompts, options, cancellationToken);
    }

    /// <summary>Continues one prompt and gives the text piece by piece.</summary>
    /// <param name="prompt">May be empty.</param>
    /// <param name="options">Null for greedy generation with the default length.</param>
    /// <param name="cancellationToken">Stops generation.</param>
    /// <exception cref="ArgumentException">An option is not valid, or asks for beams or for several sequences.</exception>
    public IAsyncEnumerable<string> StreamAsync(
        string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default) =>
        _generator.StreamAsync(prompt, options, cancellationToken);

    /// <summary>Makes a vector of each text.</summary>
    /// <inheritdoc cref="TextEmbedder.Embed"/>
    public IReadOnlyList<TextEmbedding> Embed(
        IReadOnlyList<string> texts, int batchSize = 32, CancellationToken cancellationToken = default) =>
        Embedder.Embed(texts, batchSize, cancellationToken);

    /// <summary>
    /// Writes the model in Hugging Face layout: <c>config.json</c>, <c>model.safetensors</c>, the tokenizer's files, and a model card.
    /// </summary>
    /// <param name="folder">A new or empty folder, or one that holds a model, which is replaced.</param>
    /// <param name="weightType">The number format of the stored weights.</param>
    /// <exception cref="IOException">The folder holds something else than a model, or cannot be written.</exception>
    /// <exception cref="InvalidOperationException">The network has adapters that are not merged.</exception>
    public void Save(string folder, WeightType weightType = WeightType.Float32)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var hold = Network.Hold();
        if (Network.Lora is not null)
            throw new InvalidOperationException("The network has LoRA adapters. Merge them into its weights first.");
        ModelFolder.Write(folder, ModelConfigurationFile.FileName, inside =>
        {
            Network.Save(inside, weightType.ToScalarType());
            Tokenizer.Save(inside);
            if (PublishedEnds.Count > 0)
                GenerationConfigurationFile.WriteEndOfSequenceIds(inside, [.. _generator.EndOfSequenceIds, .. PublishedEnds]);
            ModelCardFile.Write(
                inside, folder, new CardKind("text generator", "transformers", PipelineTag, $"{Network.Configuration["model_type"]}"),
                    Card);
        });
    }

    private string PipelineTag => Network is EncoderDecoderModel ? "text2text-generation" : "text-generation";

    /// <summary>Writes the model as ONNX.</summary>
    internal IReadOnlyList<OnnxExportedFile> ExportToOnnx(
        string folder, OnnxExportOptions? options, IChannel channel, CancellationToken cancellationToken) =>
        OnnxExporter.Export(Network, Tokenizer, folder, options, new OnnxExportLog(channel, "logits"), cancellationToken);

    /// <summary>Writes the model as GGUF.</summary>
    internal IReadOnlyList<GgufExportedFile> ExportToGguf(
        string path, GgufExportOptions? options, IChannel channel, CancellationToken cancellationToken) =>
        GgufExporter.Export(Network, Tokenizer, path, options, new GgufExportLog(channel), cancellationToken);

    /// <summary>The model that generates with a number format: this one, or a new one that shares what it can.</summary>
    internal TextGenerationModel ConvertTo(DecodingPrecision precision)
    {
        using var hold = Network.Hold();
        if (precision == DecodingPrecision.Float32 || Network.IsQuantized)
            return this;
        var network = DecodingNetwork.Of(Network, precision);
        network.DecodingKernels = Network.DecodingKernels;
        return Ownership.Pass(network, () => new TextGenerationModel(network, Tokenizer) { PublishedEnds = PublishedEnds });
    }

    /// <inheritdoc/>
    public void Dispose() => Network.Dispose();
}
