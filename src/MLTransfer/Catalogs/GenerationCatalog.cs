using System.Globalization;
using MLTransfer.Images;
using MLTransfer.Onnx;
using MLTransfer.Onnx.Generation;
using MLTransfer.Onnx.Writing;
using MLTransfer.Text;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Pretrained generators, and the evaluation and export of fine-tuned ones: <c>mlContext.Generation</c>.</summary>
public sealed class GenerationCatalog
{
    private readonly IHost _host;

    internal GenerationCatalog(IHostEnvironment environment) => _host = environment.Register(nameof(GenerationCatalog));

    /// <summary>Loads a pretrained model for use outside of a pipeline, or for several pipelines.</summary>
    /// <param name="folderOrHubId"><see cref="PretrainedModels.Tales"/>, a folder in Hugging Face layout, or a hub id such as <c>gpt2</c>.</param>
    /// <param name="revision">A branch, tag or commit of a hub model; null for <c>main</c>.</param>
    /// <param name="progress">Told how far a download has come; null for messages in the log alone.</param>
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
        return TextGenerationModel.Load(PretrainedModels.ResolveFolder(
            folderOrHubId, revision, progress ?? new TrainingLog(channel, next: null), cancellationToken));
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
        return new OnnxTextGeneratorTransformer(
            OnnxTextGenerator.Load(folder, options.ToRuntimeOptions()), null, columns, Seeds.Fix(options.Generation, Seeds.Of(_host)),
            options.GenerationBatchSize);
    }

    /// <summary>Measures how well a fine-tuned generator predicts texts.</summary>
    /// <param name="model">A text generator, or a chain of transformers with one.</param>
    /// <param name="data">Goes through the transformers before the text generator first.</param>
    /// <param name="textColumnName">
    /// The column of whole texts; null for the columns that the generator was trained on (of prompts and completions, only completions
    /// count), or the input column where it was not trained.
    /// </param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <remarks>
    /// A text longer than the model's context is cut into blocks of the context's length. The last block may be shorter and counts too. The
    /// first token of each text or block is not predicted. No end-of-sequence token is added.
    /// </remarks>
    /// <exception cref="ArgumentException">The model holds no text generator, a column is missing or not text, or no text has two tokens.</exception>
    public TextGenerationMetrics Evaluate(
        ITransformer model, IDataView data, string? textColumnName = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        var (before, generator) = FindText(model);
        foreach (var transformer in before)
            data = transformer.Transform(data);
        var texts = textColumnName is null
            ? TrainingTexts.Read(data, generator.Columns, generator.Model.Tokenizer, cancellationToken)
            : TrainingTexts.Read(data, textColumnName, generator.Model.Tokenizer, cancellationToken);
        return Evaluate(generator.Model, texts, cancellationToken);
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
        return Evaluate(model, TrainingTexts.Read(data, textColumnName, model.Tokenizer, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Writes a fine-tuned generator in Hugging Face layout, which <c>from_pretrained</c> loads: <c>config.json</c>, <c>model.safetensors</c> and
    /// the tokenizer's files.
    /// </summary>
    /// <param name="model">A text generator, or a chain of transformers with one. Adapters are merged into the written weights.</param>
    /// <param name="folder">A new or empty folder, or one that holds a model, which is replaced.</param>
    /// <param name="weightType">The number format of the stored weights.</param>
    /// <exception cref="ArgumentException">The model holds no text generator.</exception>
    /// <exception cref="IOException">The folder holds something else than a model, or cannot be written.</exception>
    public void SaveModelFolder(ITransformer model, string folder, WeightType weightType = WeightType.Float32)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        OptionCheck.Defined(nameof(weightType), weightType);
        var generator = FindText(model).Generator;
        using var merged = generator.LoadMergedModel();
        (merged ?? generator.Model).Save(folder, weightType);
        using var channel = _host.Start(nameof(SaveModelFolder));
        channel.Info($"Saved the model to '{Path.GetFullPath(folder)}'.");
    }

    /// <summary>
    /// Writes a fine-tuned generator as an ONNX model that ONNX Runtime, Hugging Face Optimum and transformers.js run; see
    /// <see cref="OnnxExporter"/> for its inputs and outputs.
    /// </summary>
    /// <param name="model">A text generator, or a chain of transformers with one.</param>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">
    /// Null for a float32 model of standard operators with adapters merged. The generator's own generation options go into
    /// <c>generation_config.json</c> where these name none.
    /// </param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <returns>The model files, in the order of writing.</returns>
    /// <exception cref="ArgumentException">The model holds no text generator, or the options do not go together.</exception>
    /// <exception cref="IOException">The folder holds something else than an export or cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime computes other logits than the engine.</exception>
    public IReadOnlyList<OnnxExportedFile> ExportToOnnx(
        ITransformer model, string folder, OnnxExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        var generator = FindText(model).Generator;
        options ??= new OnnxExportOptions();
        return ExportToOnnx(generator.Model, folder, options with { Generation = options.Generation ?? generator.Generation }, cancellationToken);
    }

    /// <summary>Writes a model as an ONNX model.</summary>
    /// <param name="model">The model; it stays as it is.</param>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">Null for a float32 model of standard operators with adapters merged.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <inheritdoc cref="ExportToOnnx(ITransformer, string, OnnxExportOptions?, CancellationToken)" path="/returns"/>
    /// <exception cref="ArgumentException">The options do not go together.</exception>
    /// <exception cref="IOException">The folder holds something else than an export or cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime computes other logits than the engine.</exception>
    public IReadOnlyList<OnnxExportedFile> ExportToOnnx(
        TextGenerationModel model, string folder, OnnxExportOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var channel = _host.Start(nameof(ExportToOnnx));
        var files = OnnxExporter.Export(model.Network, model.Tokenizer, folder, options, new OnnxExportLog(channel), cancellationToken);
        channel.Info($"Exported the model to '{Path.GetFullPath(folder)}'.");
        return files;
    }

    /// <summary>Measures how far the pictures of an image generator are from real ones, over the features of a network.</summary>
    /// <param name="model">An image generator, or a chain of transformers with one. Pictures are made without truncation, with new noise.</param>
    /// <param name="data">Rows with real images, and with labels where the generator takes them.</param>
    /// <param name="imageColumnName">The column of images, of the size that the generator makes.</param>
    /// <param name="extractor">Decides what counts as a difference. Distances are only comparable over the same one.</param>
    /// <param name="count">How many pictures are made.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">The model holds no image generator, a column is missing or has another type or size, or there are too few images.</exception>
    public ImageDistances EvaluateImages(
        ITransformer model, IDataView data, string imageColumnName, IImageFeatureExtractor extractor, int count = 1_000, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(imageColumnName);
        ArgumentNullException.ThrowIfNull(extractor);
        var generator = FindImage(model);
        using var channel = _host.Start("Evaluating an image generator");
        GeneratorEvaluator.Check(generator.Model.Generator, extractor);
        using var images = TrainingImageColumn.Read(data, imageColumnName, generator.Columns, generator.Model.Generator, cancellationToken);
        var distances = GeneratorEvaluator.Evaluate(generator.Model.Generator, images, extractor, count, cancellationToken: cancellationToken);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Frechet distance {distances.FrechetDistance:0.00}, kernel distance {distances.KernelDistance:0.0000}, {count} pictures to {images.Count}."));
        return distances;
    }

    /// <summary>
    /// Writes an image generator as an ONNX file that ONNX Runtime and <c>ApplyOnnxModel</c> run; see <see cref="ImageGeneratorExporter"/> for its inputs and
    /// output.
    /// </summary>
    /// <param name="model">An image generator, or a chain of transformers with one, whose noise goes along; truncation is an input of the file.</param>
    /// <param name="path">The file, which is replaced where there is one.</param>
    /// <returns>The largest difference of a pixel from the engine's, where black and white are 2 apart.</returns>
    /// <exception cref="ArgumentException">The model holds no image generator.</exception>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime computes other images than the engine.</exception>
    public double ExportImageGeneratorToOnnx(ITransformer model, string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var generator = FindImage(model);
        using var channel = _host.Start(nameof(ExportImageGeneratorToOnnx));
        var difference = ImageGeneratorExporter.Export(generator.Model, path, generator.Noise);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Wrote '{Path.GetFullPath(path)}'; its images differ from the engine's by at most {difference:0.0e+0}."));
        return difference;
    }

    private static ImageGeneratorTransformer FindImage(ITransformer model) => Find<ImageGeneratorTransformer>(model, "image generator").Generator;

    private TextGenerationMetrics Evaluate(TextGenerationModel model, TrainingTexts texts, CancellationToken cancellationToken)
    {
        using var channel = _host.Start("Evaluating a text generator");
        var rows = texts.ToExamples(RowPacking.None, model.Network.ContextLength, endOfSequence: null);
        // Rows of like length together: less padding. The sums do not depend on the order but for rounding.
        var sorted = rows.OrderByDescending(row => row.InputIds.Length).ToList();
        var result = Evaluator.Evaluate(model.Network, sorted, cancellationToken: cancellationToken);
        var metrics = new TextGenerationMetrics(result.Loss, result.PredictedTokens, texts.ByteCount);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Loss {metrics.Loss:0.0000}, perplexity {metrics.Perplexity:0.00}, {metrics.BitsPerByte:0.0000} bits a byte, "
            + $"on {metrics.TokenCount} tokens."));
        return metrics;
    }

    private static (IReadOnlyList<ITransformer> Before, TextGeneratorTransformer Generator) FindText(ITransformer model) =>
        Find<TextGeneratorTransformer>(model, "text generator");

    private static (IReadOnlyList<ITransformer> Before, T Generator) Find<T>(ITransformer model, string kind)
    {
        ArgumentNullException.ThrowIfNull(model);
        var before = new List<ITransformer>();
        foreach (var transformer in Flatten(model))
        {
            if (transformer is T generator)
                return (before, generator);
            before.Add(transformer);
        }

        throw new ArgumentException(
            $"The model has no {kind}; it consists of {string.Join(", ", before.Select(transformer => transformer.GetType().Name))}.",
            nameof(model));
    }

    private static IEnumerable<ITransformer> Flatten(ITransformer model) =>
        model is IEnumerable<ITransformer> chain ? chain.SelectMany(Flatten) : [model];
}
