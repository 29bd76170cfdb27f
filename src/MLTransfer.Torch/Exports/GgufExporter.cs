using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Gguf;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Tokenization.Gguf;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Exports;

/// <summary>
/// Writes language models as GGUF files, which llama.cpp, Ollama, LM Studio and LLamaSharp run: weights, tokenizer, chat template.
/// </summary>
/// <remarks>
/// <para>
/// These families are written: GPT-2, Llama, Mistral, Qwen2, Qwen3, Gemma 2 and 3, Phi-3, GPT-NeoX and T5. Names of keys and tensors are
/// those of llama.cpp's converters (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). A model of which llama.cpp would compute
/// something else is refused, with three exceptions: it has the tanh approximation of GELU alone; it sees the whole text where a Mistral,
/// Qwen2, Qwen3 or Phi-3 sees a window (<see cref="GgufExportedFile.Remark"/> says so); and texts are not brought to NFC by its tokenizers.
/// </para>
/// <para>
/// Where a model multiplies scores with another number than llama.cpp does for its family, the quotient goes into the weights of queries.
/// </para>
/// </remarks>
public static class GgufExporter
{
    private const string AdapterEnding = ".adapter.gguf";

    private static readonly Dictionary<GgufPrecision, (GgufTensorType Type, uint FileType)> s_formats = new()
    {
        [GgufPrecision.Float32] = (GgufTensorType.F32, 0),
        [GgufPrecision.Float16] = (GgufTensorType.F16, 1),
        [GgufPrecision.BFloat16] = (GgufTensorType.BF16, 32),
        [GgufPrecision.Int8] = (GgufTensorType.Q8_0, 7),
        [GgufPrecision.Int4] = (GgufTensorType.Q4_0, 2),
    };

    /// <summary>Writes a model with its tokenizer. The model is read a tensor at a time and stays as it is.</summary>
    /// <param name="model">A decoder, or an encoder with a decoder.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="path">The file, such as <c>model.gguf</c>; its folder must exist. A file that is there is replaced.</param>
    /// <param name="options">Null for float32 with adapters merged.</param>
    /// <param name="progress">Told of each file when it is written; null for nobody.</param>
    /// <param name="cancellationToken">Stops between tensors; no half file is left.</param>
    /// <returns>The files, in the order of writing.</returns>
    /// <exception cref="ArgumentException">The options do not go together or with the model, or the tokenizer has more tokens than
    /// it.</exception>
    /// <exception cref="NotSupportedException">llama.cpp does not know the family, or something of the model or the tokenizer; the message
    /// names it.</exception>
    /// <exception cref="InvalidDataException">A weight is not finite, and the format has no such.</exception>
    /// <exception cref="InvalidOperationException">The model is quantized.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed; nothing is written.</exception>
    public static IReadOnlyList<GgufExportedFile> Export(
        TransformerNetwork model, TextTokenizer tokenizer, string path, GgufExportOptions? options = null,
        IProgress<GgufExportedFile>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using var hold = model.Hold();
        options ??= new GgufExportOptions();
        Check(options, model, tokenizer, path);
        var architecture = GgufArchitectures.OfFamily(model.Family.ModelType);
        GgufSupport.Check(model.Description, architecture);
        var parameters = GgufParameters.Of(model.Description, architecture);
        var name = options.Name ?? Path.GetFileNameWithoutExtension(path);

        // What may be refused comes first.
        var adapterPath = options.Adapter == GgufAdapter.Apart ? Path.ChangeExtension(path, null) + AdapterEnding : path;
        var adapters = options.Adapter == GgufAdapter.Merged ? null
            : GgufAdapterTensors.Of(model, parameters, isAlone: options.Adapter == GgufAdapter.Only);
        var (metadata, modelfile) = (new GgufMetadata(path), (string?)null);
        if (options.Adapter != GgufAdapter.Only)
        {
            metadata = Describe(model, tokenizer, architecture, name, s_formats[options.Precision].FileType);
            modelfile = options.Modelfile
                ? OllamaModelfile.Format(Path.GetFileName(path), adapters is null ? null : Path.GetFileName(adapterPath), tokenizer) : null;
        }

        var files = new List<GgufExportedFile>();
        if (options.Adapter != GgufAdapter.Only)
        {
            GgufWriter.Write(path, metadata, Tensors(model, parameters, architecture, options), cancellationToken);
            Add(path, RemarkOn(model));
        }

        if (adapters is not null)
        {
            var keys = new GgufMetadata(adapterPath);
            keys.Add("general.architecture", architecture.Name);
            keys.Add("general.type", "adapter");
            keys.Add("general.name", name);
            keys.Add("adapter.type", "lora");
            keys.Add("adapter.lora.alpha", (float)model.Lora!.Alpha);
            GgufWriter.Write(adapterPath, keys, adapters, cancellationToken);
            Add(adapterPath);
        }

        if (modelfile is not null)
        {
            var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, OllamaModelfile.FileName);
            AtomicFile.WriteAllText(beside, modelfile);
            Add(beside);
        }

        return files;

        void Add(string written, string? remark = null)
        {
            var file = new GgufExportedFile(written, new FileInfo(written).Length, remark);
            files.Add(file);
            progress?.Report(file);
        }
    }

    private static void Check(GgufExportOptions options, TransformerNetwork model, TextTokenizer tokenizer, string path)
    {
        if (!Enum.IsDefined(options.Precision))
            throw new ArgumentException(
                $"{nameof(options.Precision)} is {options.Precision}, which is no {nameof(GgufPrecision)}.", nameof(options));
        if (!Enum.IsDefined(options.Adapter))
            throw new ArgumentException(
                $"{nameof(options.Adapter)} is {options.Adapter}, which is no {nameof(GgufAdapter)}.", nameof(options));
        if (options.Adapter != GgufAdapter.Merged && model.Lora is null)
        {
            throw new ArgumentException(
                $"{nameof(options.Adapter)} is {options.Adapter}, but the model has no LoRA adapters. Train with LoRA, or leave it out.",
                nameof(options));
        }

        if (options is { Adapter: GgufAdapter.Only, Modelfile: true })
        {
            throw new ArgumentException(
                $"{nameof(options.Modelfile)} is set, but no model is written that it could name. Choose {nameof(GgufAdapter)}."
                + $"{nameof(GgufAdapter.Apart)}, or leave it out.", nameof(options));
        }

        model.ThrowIfQuantized("exported");
        if (tokenizer.VocabularySize > model.VocabularySize)
        {
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens, but the model only {model.VocabularySize}. Use the model's own "
                + "tokenizer.", nameof(tokenizer));
        }

        if (Directory.Exists(path))
            throw new ArgumentException($"'{path}' is a folder; expected the path of the file to write, such as model.gguf.", nameof(path));
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The folder '{folder}' for the file does not exist.");
    }

    private static GgufMetadata Describe(
        TransformerNetwork model, TextTokenizer tokenizer, GgufArchitecture architecture, string name, uint fileType)
    {
        var metadata = new GgufMetadata(name);
        metadata.Add("general.architecture", architecture.Name);
        metadata.Add("general.type", "model");
        metadata.Add("general.name", name);
        metadata.Add("general.file_type", fileType);
        metadata.Add("general.quantization_version", 2u);
        new GgufKeys(metadata, architecture, model.Description, model.Configuration).Write();
        GgufVocabularyWriter.Write(tokenizer, model.VocabularySize, architecture.TellsSpaces, metadata);
        if (ChatFormat.Find(tokenizer) is { } chats)
            AddChats(metadata, chats, tokenizer);
        return metadata;
    }

    private static void AddChats(GgufMetadata metadata, ChatFormat chats, TextTokenizer tokenizer)
    {
        var templates = ChatTemplateStore.Read(tokenizer.Files);
        if (!templates.Remove(ChatTemplateStore.Default, out var usual))
            return;
        if (chats.FindEndOfTurn().TokenId is { } end && end != tokenizer.EndOfSequenceId)
            metadata.Add(GgufTokenizerKeys.EndOfTurn, (uint)end);
        if (templates.Count > 0)
            metadata.Add(GgufTokenizerKeys.ChatTemplates, templates.Keys.ToArray());
        foreach (var (name, template) in templates)
            metadata.Add($"{GgufTokenizerKeys.ChatTemplate}.{name}", template);
        metadata.Add(GgufTokenizerKeys.ChatTemplate, usual);
    }

    private static List<GgufOutput> Tensors(
        TransformerNetwork model, IReadOnlyList<GgufParameter> parameters, GgufArchitecture architecture, GgufExportOptions options)
    {
        var source = new ExportedParameters(model, merges: options.Adapter == GgufAdapter.Merged);
        return
        [
            .. parameters.Select(parameter =>
            {
                long[] shape = [.. source.ShapeOf(parameter.Parameter)];
                if (parameter.Layout == WeightLayout.InputByOutput)
                    Array.Reverse(shape);
                if (parameter.Rows is { } rows)
                    shape[0] = rows.Count;
                return new GgufOutput(
                    parameter.Stored, TypeOf(parameter.Stored, shape, options.Precision), shape,
                    () => parameter.ToStored(source.Read(parameter.Parameter)));
            }),
            .. GgufConstants.Of(model.Description, architecture).Select(constant => new GgufOutput(
                constant.Name, GgufTensorType.F32, [constant.Values.Length], () => tensor(constant.Values))),
        ];
    }

    /// <summary>The rule of llama.cpp's converters: what is small and decides on much is float32.</summary>
    private static GgufTensorType TypeOf(string name, long[] shape, GgufPrecision precision)
    {
        if (shape.Length < 2 || name.EndsWith("_norm.weight", StringComparison.Ordinal) || name == GgufParameters.PositionTable)
            return GgufTensorType.F32;
        var type = s_formats[precision].Type;
        return shape[^1] % type.BlockLength == 0 ? type : GgufTensorType.F16;
    }

    private static string? RemarkOn(TransformerNetwork model) =>
        GgufArchitectures.OfFamily(model.Family.ModelType).Slides is null
        && model.Description.Output.Blocks.Select(block => block.Self.Window).FirstOrDefault(window => window is not null) is { } window
        && window < model.ContextLength
            ? $"llama.cpp knows no window of {window} positions for this family: longer texts come out otherwise there." : null;
}
