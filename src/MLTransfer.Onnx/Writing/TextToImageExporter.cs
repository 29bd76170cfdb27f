using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Onnx.Weights;
using MLTransfer.Onnx.Writing.Dalle;
using MLTransfer.Onnx.Writing.Transformers;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Networks.DalleMini;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes a network that makes pictures of captions, a DALL-E mini or a DALL-E, as ONNX files.</summary>
/// <remarks>
/// <para>
/// A DALL-E mini has <c>encoder_model.onnx</c>, <c>input_ids</c> and <c>attention_mask</c> [batch, tokens] int64 to
/// <c>last_hidden_state</c>; and <c>decoder_model_merged.onnx</c>, <c>input_ids</c> [batch, codes] (the first is
/// <c>decoder_start_token_id</c>), <c>encoder_attention_mask</c>, <c>encoder_hidden_states</c>,
/// <c>past_key_values.N.decoder.key</c>, <c>.value</c>, <c>past_key_values.N.encoder.key</c>, <c>.value</c> and <c>use_cache_branch</c> [1]
/// bool to <c>logits</c> [batch, codes, ids] and <c>present.N...</c>; where <c>use_cache_branch</c> is false, the past is not read and
/// may be empty.
/// </para>
/// <para>
/// A DALL-E has <c>decoder_model_merged.onnx</c> alone, over one sequence: <c>input_ids</c> [batch, positions],
/// <c>past_key_values.N.key</c> and <c>.value</c> and, of a network that shifts tokens, <c>past_key_values.N.attention</c> and
/// <c>.feed_forward</c>, all empty at first, to <c>logits</c> [batch, positions, ids] and <c>present.N...</c>. The sequence is 0, then as
/// many text ids as the network reads, 0 for padding, then codes. Ids and logits are numbered alike: text ids, a padding token for each
/// position of the text, codes. Logits that a position may not draw are the lowest number of their type.
/// </para>
/// <para>
/// <c>image_decode.onnx</c> and, where the codec has an encoder, <c>image_encode.onnx</c> are those of <see cref="ImageCodecExporter"/>,
/// always in float32. Files have opset 18.
/// </para>
/// </remarks>
public static class TextToImageExporter
{
    /// <summary>The names of the files, without <c>.onnx</c>.</summary>
    internal const string TextEncoder = TransformerFile.EncoderName, Decoder = MusicGenExporter.Decoder;

    /// <summary>Writes a model with its tokenizer.</summary>
    /// <param name="model">The model; it stays as it is. Adapters are merged into what is written.</param>
    /// <param name="tokenizer">The tokenizer whose files go along; null for none.</param>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">Null for float32 files. <see cref="OnnxExportOptions.Precision"/> and <see cref="OnnxExportOptions.Check"/>
    /// are heeded.</param>
    /// <param name="progress">Told of each file when it is written and checked; null for nobody.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <returns>The files, in the order of writing.</returns>
    /// <exception cref="ArgumentException">An option is set that has no meaning here; the message names it.</exception>
    /// <exception cref="IOException">The folder holds something else than an export or cannot be written.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open a file or computes other numbers than the engine, or the
    /// model is quantized.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed; nothing is written.</exception>
    public static IReadOnlyList<OnnxExportedFile> Export(
        TextToImageModel model, TextTokenizer? tokenizer, string folder, OnnxExportOptions? options = null,
        IProgress<OnnxExportedFile>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var hold = model.Hold();
        model.ThrowIfQuantized("exported");
        options ??= new OnnxExportOptions();
        FolderExport.Check(options, model.GetName(), hasTransformersJsFiles: false);
        return FolderExport.Write(folder, options, model.DataType, progress, (inside, export) =>
        {
            tokenizer?.Save(inside);
            if (model is DalleMiniModel mini)
            {
                DalleMiniFiles.WriteConfigurations(inside, mini.Configuration, mini.Codec.Configuration, export.DataType);
                Write(export, mini, options.Precision);
            }
            else
            {
                var dalle = (DalleModel)model;
                ModelConfigurationFile.Write(inside, DalleCodec.Describe(dalle.Configuration, dalle.Codec), export.DataType);
                export.Write(
                    Decoder + ".onnx", options.Precision, DalleGraph.Build(dalle, options.Precision), path => CompareDecoder(path, dalle));
            }

            export.Write(ImageCodecExporter.DecoderFile, path => ImageCodecExporter.ExportDecoder(model.Codec, path));
            if (model.Codec.CanEncode)
                export.Write(ImageCodecExporter.EncoderFile, path => ImageCodecExporter.ExportEncoder(model.Codec, path));
        }, cancellationToken);
    }

    private static void Write(FolderExport export, DalleMiniModel model, OnnxPrecision precision)
    {
        export.Write(
            TextEncoder + ".onnx", precision, Graph(graph => graph.BuildEncoder()),
            path => CompareEncoder(path, model));
        export.Write(
            Decoder + ".onnx", precision, Graph(graph => graph.BuildCrossDecoder(PastUse.Either)), path => CompareDecoder(path, model));

        GraphBuilder Graph(Action<TransformerGraph> build)
        {
            var graph = new GraphBuilder();
            build(new TransformerGraph(model.Transformer, new GraphOptions(
                graph, WeightFormat.Create(precision, graph), new ModelParameters(model.Transformer, separateAdapter: false),
                FusedOperators: false)));
            return graph;
        }
    }

    private static double CompareEncoder(string path, DalleMiniModel model)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (captions, mask) = Captions(model);
        using var encoded = model.Transformer.Encode(new ModelInput(captions) { AttentionMask = mask });
        return TransformerComparison.OfEncoder(path, captions, mask, encoded.HiddenStates);
    }

    /// <summary>Reads codes in two parts, of a caption and of none.</summary>
    private static double CompareDecoder(string path, DalleMiniModel model)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var session = new OnnxModelSession(ExportedSession.Open(path, Decoder));
        var (captions, mask) = Captions(model);
        using var encoded = model.Transformer.Encode(new ModelInput(captions) { AttentionMask = mask });
        var length = Math.Min(5, model.CodesPerSide * model.CodesPerSide);
        var codes = arange(2 * length, ScalarType.Int64, model.Device).mul(7).remainder(model.CodebookSize).view(2, length);
        codes[TensorIndex.Colon, 0] = model.StartId;
        var wanted = model.Transformer.Forward(new ModelInput(codes) { Encoded = encoded }).to(ScalarType.Float32, CPU);
        return TransformerComparison.InParts(wanted, (start, count) => session.Run(
            (OnnxModelSession.InputIds, codes.narrow(1, start, count)), (OnnxModelSession.EncoderMask, mask),
            (OnnxModelSession.EncoderStates, encoded.HiddenStates), ("use_cache_branch", tensor([start > 0]))));
    }

    /// <summary>Reads a text and two rows of codes, or as many as there are, in two parts.</summary>
    private static double CompareDecoder(string path, DalleModel model)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var session = new OnnxModelSession(ExportedSession.Open(path, Decoder));
        var (sizes, count) = (model.Sizes, Math.Min(2 * model.CodesPerSide + 1, model.CodesPerSide * model.CodesPerSide - 1));
        var text = arange(2 * sizes.TextLength, ScalarType.Int64, model.Device).mul(11).remainder(sizes.TextVocabulary);
        text = text.view(2, -1);
        var codes = arange(2 * count, ScalarType.Int64, model.Device).mul(7).remainder(sizes.CodebookSize).view(2, count);
        var wanted = model.Forward(text, codes).to(ScalarType.Float32, CPU);
        var ids = cat([zeros_like(text.narrow(1, 0, 1)), text, codes + sizes.TextRows], 1);
        return TransformerComparison.InParts(
            wanted, (start, length) => session.Run((OnnxModelSession.InputIds, ids.narrow(1, start, length))),
            first: sizes.TextPositions + count / 2);
    }

    /// <summary>A caption, and none.</summary>
    private static (Tensor Ids, Tensor Mask) Captions(DalleMiniModel model)
    {
        int[] words = [0, .. Enumerable.Range(0, 4).Select(word => 3 + 11 * word % (model.TextVocabularySize - 3)), 2];
        int[][] rows = [model.PadCaption(words), model.PadCaption(null)];
        var length = Math.Min(words.Length, model.TextLength);
        var ids = tensor([.. rows.SelectMany(row => row.Take(length)).Select(id => (long)id)], [2, length], device: model.Device);
        return (ids, ids.ne(DalleMiniCaption.PaddingId).to(ScalarType.Int64));
    }
}
