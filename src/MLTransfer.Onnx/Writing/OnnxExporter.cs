using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Onnx.Writing.Transformers;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using TorchSharp;

namespace MLTransfer.Onnx.Writing;

/// <summary>
/// Writes transformers as ONNX files that ONNX Runtime, Hugging Face Optimum and transformers.js run, with the names and the layout that
/// Optimum gives them.
/// </summary>
/// <remarks>
/// <para>
/// Of a decoder, <c>model.onnx</c> has the inputs <c>input_ids</c> [batch, length], <c>attention_mask</c> [batch, past + length] (1 for
/// real tokens, 0 for padding) and <c>position_ids</c> [batch, length], all int64, and for each layer <c>past_key_values.N.key</c> and
/// <c>.value</c> [batch, key-value heads, past, head width]; the outputs are <c>logits</c> [batch, length, vocabulary] and for each layer
/// <c>present.N.key</c> and <c>.value</c> [batch, key-value heads, past + length, head width]. Past may be 0, so one file reads the prompt
/// and continues it. Past, present and logits are float32, or float16 with <see cref="OnnxPrecision.Float16"/>.
/// </para>
/// <para>
/// Of an encoder, <c>model.onnx</c> has the inputs <c>input_ids</c>, <c>attention_mask</c> and, where the network tells segments apart,
/// <c>token_type_ids</c>, all [batch, length] int64, and the output <c>logits</c> [batch, length, vocabulary], or <c>last_hidden_state</c>
/// [batch, length, width] where it has no head.
/// </para>
/// <para>
/// Of an encoder with a decoder, <c>encoder_model.onnx</c> gives <c>last_hidden_state</c>; <c>decoder_model.onnx</c> has the inputs
/// <c>input_ids</c>, <c>encoder_attention_mask</c> and <c>encoder_hidden_states</c> and the outputs <c>logits</c>,
/// <c>present.N.decoder.key</c> and <c>.value</c> and <c>present.N.encoder.key</c> and <c>.value</c>; <c>decoder_with_past_model.onnx</c>
/// takes those under <c>past_key_values.</c> instead of the hidden states, and gives the decoder's again. A decoder that reads several
/// streams of tokens takes [batch, streams, length] and gives [batch, streams, length, vocabulary].
/// </para>
/// <para>The files have opset 18 and format version 8, which ONNX Runtime reads since 1.14 (<c>MatMulNBits</c> of
/// <see cref="OnnxPrecision.Int4"/>: since 1.17). Weights of 2 GB and more lie beside the file in <c>model.onnx_data</c>.</para>
/// </remarks>
public static class OnnxExporter
{
    /// <summary>The name of the model file of a decoder or an encoder.</summary>
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
    /// <exception cref="IOException">The folder holds something else than an export or cannot be written, for example because the disk is
    /// full.</exception>
    /// <exception cref="NotSupportedException">The model has something that a graph cannot compute.</exception>
    /// <exception cref="InvalidOperationException">
    /// ONNX Runtime does not open a file or computes other logits than the engine, or the model is quantized.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model is disposed; nothing is written.</exception>
    public static IReadOnlyList<OnnxExportedFile> Export(
        TransformerNetwork model,
        TextTokenizer? tokenizer,
        string folder,
        OnnxExportOptions? options = null,
        IProgress<OnnxExportedFile>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var hold = model.Hold();
        options ??= new OnnxExportOptions();
        Check(options, model, tokenizer);
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
                inside, model.Configuration, options.Precision == OnnxPrecision.Float16 ? torch.ScalarType.Float16
                    : torch.ScalarType.Float32);
            if (model is not MaskedLanguageModel)
                GenerationConfigurationFile.Write(inside, options.Generation, model.Configuration, tokenizer);
            tokenizer?.Save(inside);

            foreach (var file in TransformerFile.Of(model))
                WriteModel(inside, file, file.Name, options.Precision);
            if (options.FileWithoutPast)
                WriteModel(inside, TransformerFile.WithoutPast, TransformerFile.WithoutPast.Name, options.Precision);
            if (options.TransformersJsFiles)
            {
                Directory.CreateDirectory(Path.Combine(inside, ExportFolder.TransformersJs));
                foreach (var file in TransformerFile.Of(model))
                {
                    WriteModel(inside, file, $"{ExportFolder.TransformersJs}/{file.Name}", OnnxPrecision.Float32);
                    WriteModel(inside, file, $"{ExportFolder.TransformersJs}/{file.Name}_quantized", OnnxPrecision.Int8);
                }
            }
        }

        void WriteModel(string inside, TransformerFile kind, string stem, OnnxPrecision precision)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = stem + ".onnx";
            var path = Path.Combine(inside, name);
            var graph = new GraphBuilder();
            var parameters = new ModelParameters(model, options.SeparateAdapter);
            var format = WeightFormat.Create(precision, graph);
            kind.Build(new TransformerGraph(model, new GraphOptions(graph, format, parameters, options.FusedOperators)));
            ModelFileWriter.Write(path, graph, options.ExternalDataFrom);
            cancellationToken.ThrowIfCancellationRequested();
            double? difference = null;
            if (options.Check)
            {
                var beginning = Path.Combine(inside, TransformerFile.BeginningName + ".onnx");
                difference = ExportCheck.Compare(path, name, model, precision, beginning);
            }
            else
            {
                ExportedSession.Open(path, name).Dispose();
            }

            var data = new FileInfo(path + "_data");
            var file = new OnnxExportedFile(name, precision, new FileInfo(path).Length + (data.Exists ? data.Length : 0), difference);
            files.Add(file);
            progress?.Report(file);
        }
    }

    /// <summary>
    /// Exchanges the adapter of an export that <see cref="OnnxExportOptions.SeparateAdapter"/> made for that of another fine-tuning of
    /// the same base model. Only <see cref="AdapterFileName"/> is written.
    /// </summary>
    /// <param name="model">A model with adapters of the same rank on the same layers.</param>
    /// <param name="folder">The folder of the export.</param>
    /// <exception cref="ArgumentException">The model has no adapters, or they do not fit those of the export.</exception>
    /// <exception cref="IOException">The folder holds no export, or cannot be written.</exception>
    /// <exception cref="InvalidDataException">The folder's model has no adapter of its own, or is malformed.</exception>
    public static void ReplaceAdapter(TransformerNetwork model, string folder)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var hold = model.Hold();
        if (model.Lora is null)
            throw new ArgumentException("The model has no LoRA adapters.", nameof(model));
        var path = Path.Combine(folder, ModelFileName);
        if (!File.Exists(path))
            throw new FileNotFoundException($"The folder '{folder}' has no {ModelFileName}; expected an ONNX export.", path);
        AdapterFile.Replace(path, model);
    }

    private static void Check(OnnxExportOptions options, TransformerNetwork model, TextTokenizer? tokenizer)
    {
        if (!Enum.IsDefined(options.Precision))
            throw new ArgumentException(
                $"{nameof(options.Precision)} is {options.Precision}, which is no {nameof(OnnxPrecision)}.", nameof(options));
        if (options.SeparateAdapter && model.Lora is null)
        {
            throw new ArgumentException(
                $"{nameof(options.SeparateAdapter)} is set, but the model has no LoRA adapters. Train with LoRA, or leave it out.",
                    nameof(options));
        }

        if (options.SeparateAdapter && options.TransformersJsFiles)
        {
            throw new ArgumentException(
                $"{nameof(options.SeparateAdapter)} and {nameof(options.TransformersJsFiles)} are both set, "
                + "but transformers.js reads no adapter file. "
                + "Leave one out.", nameof(options));
        }

        if (TransformerFile.HasCrossAttention(model))
        {
            Refuse(options.SeparateAdapter, nameof(options.SeparateAdapter), "the files of encoder and decoder have adapters of their own");
            Refuse(options.TransformersJsFiles, nameof(options.TransformersJsFiles), "transformers.js wants both decoder files as one");
        }

        if (model is not CausalLanguageModel || TransformerFile.HasCrossAttention(model))
        {
            Refuse(
                options.FileWithoutPast, nameof(options.FileWithoutPast),
                "only the file of a decoder that reads no encoder has a past that it can do without");
        }

        options.Generation?.Check();
        if (tokenizer?.VocabularySize > model.VocabularySize)
        {
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens, but the model only {model.VocabularySize}. "
                + "Use the model's own tokenizer.", nameof(tokenizer));
        }

        void Refuse(bool isSet, string option, string why)
        {
            if (isSet)
            {
                throw new ArgumentException(
                    $"{option} is set, but {why}: leave it out for a model of type '{model.Family.ModelType}'.", nameof(options));
            }
        }
    }
}
