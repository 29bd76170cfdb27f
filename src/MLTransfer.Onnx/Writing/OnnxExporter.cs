using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using TorchSharp;

namespace MLTransfer.Onnx.Writing;

/// <summary>
/// Writes language models as ONNX files that ONNX Runtime, Hugging Face Optimum and transformers.js run, with the names and the layout that
/// Optimum gives to <c>text-generation-with-past</c>.
/// </summary>
/// <remarks>
/// <para>
/// <c>model.onnx</c> has the inputs <c>input_ids</c> [batch, length], <c>attention_mask</c> [batch, past + length] (1 for real tokens, 0 for
/// padding) and <c>position_ids</c> [batch, length], all int64, and for each layer <c>past_key_values.N.key</c> and <c>.value</c> [batch, heads,
/// past, head width]; the outputs are <c>logits</c> [batch, length, vocabulary] and for each layer <c>present.N.key</c> and <c>.value</c> [batch,
/// heads, past + length, head width]. Past may be 0, so one file reads the prompt and continues it. Past, present and logits are float32, or
/// float16 with <see cref="OnnxPrecision.Float16"/>.
/// </para>
/// <para>The files have opset 18 and format version 8, which ONNX Runtime reads since 1.14 (<c>MatMulNBits</c> of
/// <see cref="OnnxPrecision.Int4"/>: since 1.17). Weights of 2 GB and more lie beside the file in <c>model.onnx_data</c>.</para>
/// </remarks>
public static class OnnxExporter
{
    /// <summary>The name of the model file.</summary>
    public const string ModelFileName = "model.onnx";

    /// <summary>The name of the file that <see cref="OnnxExportOptions.FileWithoutPast"/> asks for.</summary>
    public const string WithoutPastFileName = "model_without_past.onnx";

    /// <summary>The name of the file that <see cref="OnnxExportOptions.SeparateAdapter"/> asks for.</summary>
    public const string AdapterFileName = ModelFileWriter.AdapterFile;

    /// <summary>Writes a model with its tokenizer.</summary>
    /// <param name="model">The model; it stays as it is, adapters included.</param>
    /// <param name="tokenizer">The tokenizer whose files go along; null for none.</param>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">Null for a float32 model of standard operators.</param>
    /// <param name="progress">Told of each model file when it is written and checked; null for nobody.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <returns>The model files, in the order of writing.</returns>
    /// <exception cref="ArgumentException">The options do not go together, or the tokenizer has more tokens than the model.</exception>
    /// <exception cref="IOException">The folder holds something else than an export or cannot be written, for example because the disk is full.</exception>
    /// <exception cref="NotSupportedException">Models of this type cannot be exported.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime computes other logits than the engine.</exception>
    public static IReadOnlyList<OnnxExportedFile> Export(
        CausalLanguageModel model,
        TextTokenizer? tokenizer,
        string folder,
        OnnxExportOptions? options = null,
        IProgress<OnnxExportedFile>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        options ??= new OnnxExportOptions();
        Check(options, model, tokenizer);
        var family = OnnxFamily.Of(model);
        ExportFolder.ThrowIfOccupied(folder);

        var files = new List<OnnxExportedFile>();
        try
        {
            AtomicFolder.Write(folder, WriteInto);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The ONNX export cannot be written to '{folder}': {exception.Message}", exception);
        }

        return files;

        void WriteInto(string inside)
        {
            // Names and small files first: they fail before the long work.
            ModelConfigurationFile.Write(
                inside, model.Configuration, options.Precision == OnnxPrecision.Float16 ? torch.ScalarType.Float16 : torch.ScalarType.Float32);
            GenerationConfigurationFile.Write(inside, options.Generation, model.Configuration, tokenizer);
            tokenizer?.Save(inside);

            WriteModel(inside, ModelFileName, options.Precision, hasPast: true);
            if (options.FileWithoutPast)
                WriteModel(inside, WithoutPastFileName, options.Precision, hasPast: false);
            if (options.TransformersJsFiles)
            {
                Directory.CreateDirectory(Path.Combine(inside, ExportFolder.TransformersJs));
                WriteModel(inside, ExportFolder.TransformersJs + "/model.onnx", OnnxPrecision.Float32, hasPast: true);
                WriteModel(inside, ExportFolder.TransformersJs + "/model_quantized.onnx", OnnxPrecision.Int8, hasPast: true);
            }
        }

        void WriteModel(string inside, string name, OnnxPrecision precision, bool hasPast)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = Path.Combine(inside, name);
            var graph = new GraphBuilder();
            family.Build(model, new GraphOptions(
                graph, WeightFormat.Create(precision, graph), new ModelParameters(model, options.SeparateAdapter), options.FusedOperators, hasPast));
            ModelFileWriter.Write(path, graph, options.ExternalDataFrom);
            cancellationToken.ThrowIfCancellationRequested();
            var difference = options.Check ? ExportCheck.Compare(path, name, model, precision) : (double?)null;

            var data = new FileInfo(path + "_data");
            var file = new OnnxExportedFile(name, precision, new FileInfo(path).Length + (data.Exists ? data.Length : 0), difference);
            files.Add(file);
            progress?.Report(file);
        }
    }

    /// <summary>
    /// Exchanges the adapter of an export that <see cref="OnnxExportOptions.SeparateAdapter"/> made for that of another fine-tuning of the same base
    /// model. Only <see cref="AdapterFileName"/> is written.
    /// </summary>
    /// <param name="model">A model with adapters of the same rank on the same layers.</param>
    /// <param name="folder">The folder of the export.</param>
    /// <exception cref="ArgumentException">The model has no adapters, or they do not fit those of the export.</exception>
    /// <exception cref="IOException">The folder holds no export, or cannot be written.</exception>
    /// <exception cref="InvalidDataException">The folder's model has no adapter of its own, or is malformed.</exception>
    public static void ReplaceAdapter(CausalLanguageModel model, string folder)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        if (model.Lora is null)
            throw new ArgumentException("The model has no LoRA adapters.", nameof(model));
        var path = Path.Combine(folder, ModelFileName);
        if (!File.Exists(path))
            throw new FileNotFoundException($"The folder '{folder}' has no {ModelFileName}; expected an ONNX export.", path);
        AdapterFile.Replace(path, model);
    }

    private static void Check(OnnxExportOptions options, CausalLanguageModel model, TextTokenizer? tokenizer)
    {
        if (!Enum.IsDefined(options.Precision))
            throw new ArgumentException($"{nameof(options.Precision)} is {options.Precision}, which is no {nameof(OnnxPrecision)}.", nameof(options));
        if (options.SeparateAdapter && model.Lora is null)
        {
            throw new ArgumentException(
                $"{nameof(options.SeparateAdapter)} is set, but the model has no LoRA adapters. Train with LoRA, or leave it out.", nameof(options));
        }

        if (options.SeparateAdapter && options.TransformersJsFiles)
        {
            throw new ArgumentException(
                $"{nameof(options.SeparateAdapter)} and {nameof(options.TransformersJsFiles)} are both set, but transformers.js reads no adapter file. "
                + "Leave one out.", nameof(options));
        }

        options.Generation?.Check();
        if (tokenizer?.VocabularySize > model.VocabularySize)
        {
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens, but the model only {model.VocabularySize}. Use the model's own tokenizer.", nameof(tokenizer));
        }
    }
}
