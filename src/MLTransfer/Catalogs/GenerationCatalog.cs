using System.Globalization;
using MLTransfer.Images;
using MLTransfer.Logging;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Persistence;
using MLTransfer.Text;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Pretrained generators, and the evaluation and export of fine-tuned ones: <c>mlContext.Generation</c>.</summary>
/// <remarks>
/// What takes an <see cref="ITransformer"/> takes a chain as well and asks the first of its transformers that can do it: a text generator,
/// an image generator, or a network of pretrained and new layers.
/// </remarks>
public sealed partial class GenerationCatalog
{
    private const string AnyModel =
        "no text generator, no text infiller, no image generator, no audio generator and no network of layers";

    private readonly MLContext _context;
    private readonly IHost _host;

    internal GenerationCatalog(MLContext context) =>
        (_context, _host) = (context, ((IHostEnvironment)context).Register(nameof(GenerationCatalog)));

    /// <summary>Loads a pretrained model for use outside of a pipeline, or for several pipelines.</summary>
    /// <param name="folderOrHubId">
    /// <see cref="PretrainedModels.Tales"/>, a folder in Hugging Face layout, a hub id such as <c>gpt2</c>, or a model zip with a text
    /// generator, whose adapters become part of its weights.
    /// </param>
    /// <param name="revision">A branch, tag or commit of a hub model; null for <c>main</c>.</param>
    /// <param name="progress">Told how far a download has come; null for nobody but the log.</param>
    /// <param name="cancellationToken">Stops a download.</param>
    /// <exception cref="IOException">The model cannot be found or read.</exception>
    /// <exception cref="NotSupportedException">The architecture or the kind of tokenizer is not supported.</exception>
    public TextGenerationModel LoadPretrained(
        string folderOrHubId = PretrainedModels.Tales,
        string? revision = null,
        IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folderOrHubId);
        using var channel = _host.Start("Loading a text generator");
        return TextBaseModel<TextGenerationModel>
            .Load(_host, folderOrHubId, revision, new DownloadLog(channel, progress), cancellationToken).Merge();
    }

    /// <summary>Loads an ONNX export of a text generator, to generate with ONNX Runtime: libtorch is neither needed nor loaded.</summary>
    /// <param name="folder">Has the graph (<c>model.onnx</c>), <c>config.json</c> and the tokenizer's files.</param>
    /// <param name="outputColumnName">The column for the generated text, without the prompt.</param>
    /// <param name="inputColumnName">The text column with the prompts.</param>
    /// <param name="options">How to generate; null for defaults.</param>
    /// <returns>A transformer with the columns and texts of <see cref="TextGeneratorTransformer"/>, to be disposed by the caller.</returns>
    /// <exception cref="ArgumentException">An option or a column name is not usable; the message names it.</exception>
    /// <exception cref="IOException">There is no such folder, or it is not an export.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, or the graph is of another kind.</exception>
    /// <exception cref="NotSupportedException">The kind of tokenizer is not supported.</exception>
    public OnnxTextGeneratorTransformer LoadOnnx(
        string folder,
        string outputColumnName = "Continuation",
        string inputColumnName = "Prompt",
        OnnxTextGeneratorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        options ??= new OnnxTextGeneratorOptions();
        options.Check();
        var columns = TextGeneratorColumns.Create(outputColumnName, inputColumnName, options);
        using var channel = _host.Start("Loading an ONNX text generator");
        GenerationLog.Warn(channel, options.Generation);
        var transformer = new OnnxTextGeneratorTransformer(
            OnnxTextGenerator.Load(folder, options.ToRuntimeOptions()), null, columns, Seeds.Fix(options.Generation, Seeds.Of(_host)),
            options.GenerationBatchSize);
        return Ownership.Pass(transformer, () => transformer.Checked());
    }

    /// <summary>Measures how well a model predicts texts.</summary>
    /// <param name="model">A text generator, or a chain of transformers with one.</param>
    /// <param name="data">Goes through the transformers before the text generator first.</param>
    /// <param name="textColumnName">
    /// The column of whole texts; null for the columns that the generator was trained on (of prompts and completions, only completions
    /// count), or the input column where it was not trained.
    /// </param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <remarks>
    /// Texts become rows as in training, by <see cref="TextGeneratorOptions.RowPacking"/>, <see cref="TextGeneratorOptions.MaximumLength"/>
    /// and <see cref="TextGeneratorOptions.AppendEndOfSequence"/>, which a saved model keeps; of a model that was not trained here by their
    /// defaults. So the loss is the <see cref="TrainingResult.ValidationLoss"/> that a run measures on the same rows (up to rounding: here
    /// it is computed in float32). The first token of a text, and of each further row of one that is longer than a row, is not predicted;
    /// the end-of-sequence token is, where training appends it. Of an encoder with a decoder every token of the completions is predicted;
    /// whole texts have the noise of <see cref="TextGeneratorOptions.Noise"/>, the same in every evaluation.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// The model holds no text generator, a column is missing or not text, or no text has two tokens.
    /// </exception>
    public TextGenerationMetrics Evaluate(
        ITransformer model, IDataView data, string? textColumnName = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        var (before, generator) = TransformerChain.Find<ITextEvaluation>(model, "no text generator");
        return EvaluateText(() => generator.Evaluate(Through(before, data), textColumnName, cancellationToken));
    }

    /// <summary>Measures how well a model predicts texts.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">The texts.</param>
    /// <param name="textColumnName">The column of whole texts.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <inheritdoc cref="Evaluate(ITransformer, IDataView, string?, CancellationToken)" path="/remarks"/>
    /// <exception cref="ArgumentException">The column is missing or not text, or no text has two tokens.</exception>
    public TextGenerationMetrics Evaluate(
        TextGenerationModel model, IDataView data, string textColumnName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(textColumnName);
        return EvaluateText(() => TextEvaluator.Evaluate(
            model, TrainingTexts.Read(data, textColumnName, model.Tokenizer, model.Network, cancellationToken), new TextRowForm(),
            cancellationToken));
    }

    /// <summary>Measures how far the pictures of a model are from real ones, over the features of a network.</summary>
    /// <param name="model">
    /// An image generator, or a chain of transformers with one. Pictures are made without truncation, with new noise.
    /// </param>
    /// <param name="data">
    /// Rows with real images, and with labels where the generator takes them; they go through the transformers before the generator first.
    /// </param>
    /// <param name="imageColumnName">The column of images, of the size that the generator makes.</param>
    /// <param name="extractor">Decides what counts as a difference. Distances are only comparable over the same one.</param>
    /// <param name="count">How many pictures are made.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">
    /// The model holds no image generator, a column is missing or has another type or size, or there are too few images.
    /// </exception>
    public ImageDistances Evaluate(
        ITransformer model, IDataView data, string imageColumnName, IImageFeatureExtractor extractor, int count = 1_000,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(imageColumnName);
        ArgumentNullException.ThrowIfNull(extractor);
        var (before, generator) = TransformerChain.Find<IImageEvaluation>(model, "no image generator");
        using var channel = _host.Start("Evaluating an image generator");
        var distances = generator.Evaluate(Through(before, data), imageColumnName, extractor, count, cancellationToken);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Frechet distance {distances.FrechetDistance:0.00}, kernel distance {distances.KernelDistance:0.0000}, "
            + $"over {count} pictures."));
        return distances;
    }

    /// <summary>Writes a model as a folder that training starts from again.</summary>
    /// <remarks>
    /// A text generator or infiller in Hugging Face layout, which <c>from_pretrained</c> loads: <c>config.json</c>,
    /// <c>model.safetensors</c> and the tokenizer's files, with adapters merged into the weights. An image generator with
    /// <c>config.json</c>, <c>generator.safetensors</c> and <c>discriminator.safetensors</c>. A MusicGen or a VITS in Hugging Face layout,
    /// with a VITS's <c>discriminator.safetensors</c> and the names of its speakers (<c>speakers.json</c>). A network of described layers
    /// with <c>layers.json</c> and <c>model.safetensors</c>, for <c>PretrainedNetwork.Layers</c>.
    /// </remarks>
    /// <param name="model">A transformer with a model, or a chain of transformers with one.</param>
    /// <param name="folder">A new or empty folder, or one that holds a model, which is replaced.</param>
    /// <param name="weightType">The number format of the stored weights.</param>
    /// <exception cref="ArgumentException">The model holds nothing that can be saved so.</exception>
    /// <exception cref="IOException">The folder holds something else than a model, or cannot be written.</exception>
    /// <exception cref="NotSupportedException">A network has a pretrained part that is not made of described layers.</exception>
    public void SaveModelFolder(ITransformer model, string folder, WeightType weightType = WeightType.Float32)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        OptionCheck.Defined(nameof(weightType), weightType);
        TransformerChain.Find<IModelFolder>(model, AnyModel).Found.SaveModelFolder(folder, weightType);
        using var channel = _host.Start(nameof(SaveModelFolder));
        channel.Info($"Saved the model to '{Path.GetFullPath(folder)}'.");
    }

    /// <summary>Writes a model as ONNX, which ONNX Runtime runs.</summary>
    /// <remarks>
    /// A text generator or infiller becomes a folder, which Hugging Face Optimum and transformers.js take as well; see
    /// <see cref="OnnxExporter"/> for its inputs and outputs. So does an audio generator (<see cref="MusicGenExporter"/>,
    /// <see cref="SpeechExporter"/>), and one of pictures of captions (<see cref="TextToImageExporter"/>). A StyleGAN2 becomes a file; see
    /// <see cref="ImageGeneratorExporter"/>: its noise goes along, truncation is an input. A network of layers becomes a file whose input
    /// and output are called as the columns are; see <see cref="TorchModuleTransformer"/>. ML.NET's <c>ApplyOnnxModel</c> runs such files.
    /// </remarks>
    /// <param name="model">A transformer with a model, or a chain of transformers with one.</param>
    /// <param name="path">
    /// Where the model becomes a folder a new or empty one, or one that holds an export, which is replaced; else a file, which is replaced
    /// where there is one.
    /// </param>
    /// <param name="options">
    /// How a folder is written; null for a float32 model of standard operators with adapters merged. A text generator's own
    /// generation options go into <c>generation_config.json</c> where these name none. Null for other models.
    /// </param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <returns>
    /// The model files, in the order of writing, with the largest difference from what the engine computes where it was checked.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The model holds nothing that can be exported, or the options do not go together or with the model.
    /// </exception>
    /// <exception cref="IOException">
    /// The folder holds something else than an export, or a file cannot be written, for example because the disk is full.
    /// </exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime computes something else than the engine.</exception>
    /// <exception cref="NotSupportedException">
    /// A network's pretrained part is TorchScript or a class of the user's: it has no graph to write.
    /// </exception>
    public IReadOnlyList<OnnxExportedFile> ExportToOnnx(
        ITransformer model, string path, OnnxExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var exported = TransformerChain.Find<IOnnxExport>(model, AnyModel).Found;
        return Export(path, channel => exported.ExportToOnnx(path, options, channel, cancellationToken));
    }

    /// <summary>Writes a text generation model as an ONNX model.</summary>
    /// <param name="model">The model; it stays as it is.</param>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">Null for a float32 model of standard operators with adapters merged.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <inheritdoc cref="ExportToOnnx(ITransformer, string, OnnxExportOptions?, CancellationToken)" path="/returns"/>
    /// <exception cref="ArgumentException">The options do not go together.</exception>
    /// <exception cref="IOException">
    /// The folder holds something else than an export or cannot be written, for example because the disk is full.
    /// </exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime computes other logits than the engine.</exception>
    public IReadOnlyList<OnnxExportedFile> ExportToOnnx(
        TextGenerationModel model, string folder, OnnxExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        return Export(folder, channel => model.ExportToOnnx(folder, options, channel, cancellationToken));
    }

    private static IDataView Through(IEnumerable<ITransformer> transformers, IDataView data) =>
        transformers.Aggregate(data, (view, transformer) => transformer.Transform(view));

    private TextGenerationMetrics EvaluateText(Func<TextGenerationMetrics> evaluate)
    {
        using var channel = _host.Start("Evaluating a text generator");
        var metrics = evaluate();
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Loss {metrics.Loss:0.0000}, perplexity {metrics.Perplexity:0.00}, {metrics.BitsPerByte:0.0000} bits a byte, "
            + $"on {metrics.TokenCount} tokens."));
        return metrics;
    }

    private IReadOnlyList<OnnxExportedFile> Export(string path, Func<IChannel, IReadOnlyList<OnnxExportedFile>> export)
    {
        using var channel = _host.Start(nameof(ExportToOnnx));
        var files = export(channel);
        channel.Info($"Exported the model to '{Path.GetFullPath(path)}'.");
        return files;
    }
}
