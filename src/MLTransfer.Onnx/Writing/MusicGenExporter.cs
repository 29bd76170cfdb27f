using MLTransfer.Onnx.Checking;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Writing;

/// <summary>
/// Writes a MusicGen as ONNX files that ONNX Runtime and transformers.js run, with the names that Hugging Face Optimum gives them.
/// </summary>
/// <remarks>
/// <para>
/// <c>text_encoder.onnx</c> has the inputs <c>input_ids</c> and <c>attention_mask</c> [batch, tokens] int64 and the output
/// <c>last_hidden_state</c>. <c>decoder_model_merged.onnx</c> has the inputs <c>input_ids</c> [batch x codebooks, columns],
/// <c>encoder_attention_mask</c>, <c>encoder_hidden_states</c>, <c>past_key_values.N.decoder.key</c>, <c>.value</c>,
/// <c>past_key_values.N.encoder.key</c>, <c>.value</c> and <c>use_cache_branch</c> [1] bool, and the outputs <c>logits</c>
/// [batch x codebooks, columns, codes] and <c>present.N...</c>; where <c>use_cache_branch</c> is false, the past is not read and may be
/// empty. For guidance the rows without a caption follow those with one, and their mask is 0 throughout.
/// </para>
/// <para><c>encodec_decode.onnx</c> and <c>encodec_encode.onnx</c> are those of <see cref="EnCodecExporter"/>, always in float32.</para>
/// <para><c>build_delay_pattern_mask.onnx</c> makes of <c>input_ids</c>, <c>pad_token_id</c> and <c>max_length</c>
/// <c>input_ids_edited</c> and <c>delay_pattern_mask</c>, -1 where ids are generated.</para>
/// </remarks>
public static class MusicGenExporter
{
    /// <summary>The names of the files, without <c>.onnx</c>.</summary>
    internal const string TextEncoder = "text_encoder", Decoder = "decoder_model_merged", DelayMask = "build_delay_pattern_mask";

    /// <summary>Writes a model with its tokenizer.</summary>
    /// <param name="model">The model; it stays as it is. Adapters are merged into what is written.</param>
    /// <param name="tokenizer">The tokenizer whose files go along; null for none.</param>
    /// <param name="folder">A new or empty folder, or one that holds an export, which is replaced.</param>
    /// <param name="options">
    /// Null for float32 files. <see cref="OnnxExportOptions.Precision"/>, <see cref="OnnxExportOptions.TransformersJsFiles"/> (in float32
    /// and int8, in the folder <c>onnx</c>) and <see cref="OnnxExportOptions.Check"/> are heeded.
    /// </param>
    /// <param name="progress">Told of each file when it is written and checked; null for nobody.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <returns>The files, in the order of writing.</returns>
    /// <exception cref="ArgumentException">An option is set that has no meaning here; the message names it.</exception>
    /// <exception cref="IOException">The folder holds something else than an export or cannot be written.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not open a file or computes other numbers than the engine, or the
    /// model is quantized.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed; nothing is written.</exception>
    public static IReadOnlyList<OnnxExportedFile> Export(
        MusicGenModel model, TextTokenizer? tokenizer, string folder, OnnxExportOptions? options = null,
        IProgress<OnnxExportedFile>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        using var hold = model.Hold();
        model.ThrowIfQuantized("exported");
        options ??= new OnnxExportOptions();
        FolderExport.Check(options, "MusicGen", hasTransformersJsFiles: true);
        return FolderExport.Write(folder, options, model.DataType, progress, (inside, export) =>
        {
            ModelConfigurationFile.Write(inside, model.Configuration, export.DataType);
            MusicGenFiles.Write(inside, model);
            tokenizer?.Save(inside);
            WriteAll(export, model, "", "", options.Precision);
            if (!options.TransformersJsFiles)
                return;
            Directory.CreateDirectory(Path.Combine(inside, ExportFolder.TransformersJs));
            WriteAll(export, model, ExportFolder.TransformersJs + "/", "", OnnxPrecision.Float32);
            WriteAll(export, model, ExportFolder.TransformersJs + "/", "_quantized", OnnxPrecision.Int8);
        }, cancellationToken);
    }

    /// <summary>Whether a file of an export has the name.</summary>
    internal static bool IsName(string name) => Path.GetExtension(name) == ".onnx"
        && Path.GetFileNameWithoutExtension(name) is TextEncoder or Decoder or DelayMask;

    private static void WriteAll(FolderExport export, MusicGenModel model, string place, string suffix, OnnxPrecision precision)
    {
        export.Write(
            Name(TextEncoder), precision, MusicGenGraph.TextEncoder(model, precision), path => CompareTextEncoder(path, model));
        export.Write(Name(Decoder), precision, MusicGenGraph.Decoder(model, precision), path => CompareDecoder(path, model));
        export.Write(Name(DelayMask), precision, MusicGenGraph.DelayMask(model.Pattern), path => CompareDelayMask(path, model));
        var each = model.Codebooks / model.Channels;
        export.Write(CodecName(EnCodecExporter.DecoderFile), path => EnCodecExporter.ExportDecoder(model.Codec, path));
        if (SoundCodes.HasBandwidthOf(model.Codec, each))
        {
            export.Write(CodecName(EnCodecExporter.EncoderFile), path => EnCodecExporter.ExportEncoder(
                model.Codec, path, SoundCodes.BandwidthOf(model.Codec, each)));
        }

        string Name(string stem) => $"{place}{stem}{suffix}.onnx";
        string CodecName(string file) => Name(Path.GetFileNameWithoutExtension(file));
    }

    private static double CompareTextEncoder(string path, MusicGenModel model)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (ids, mask) = Captions(model);
        return TransformerComparison.OfEncoder(
            path, ids, mask, model.TextEncoder.ComputeHiddenStates(new ModelInput(ids) { AttentionMask = mask }));
    }

    /// <summary>Reads columns in two parts, with a caption and without one.</summary>
    private static double CompareDecoder(string path, MusicGenModel model)
    {
        const int Columns = 5;
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var session = new OnnxModelSession(ExportedSession.Open(path, Decoder));
        var (captions, mask) = Captions(model);
        var states = model.TextEncoder.ComputeHiddenStates(new ModelInput(captions) { AttentionMask = mask });
        using var encoded = new EncodedText(model.Project(states, mask).DetachFromDisposeScope(), mask);
        var rows = 2 * model.Codebooks;
        var ids = arange(rows * Columns, ScalarType.Int64, model.Device).mul(7).remainder(model.CodebookSize).view(rows, Columns);
        var wanted = model.Forward(ids.view(2, model.Codebooks, Columns), encoded).to(ScalarType.Float32, CPU).view(rows, Columns, -1);
        return TransformerComparison.InParts(wanted, (start, length) => session.Run(
            (OnnxModelSession.InputIds, ids.narrow(1, start, length)), (OnnxModelSession.EncoderMask, mask),
            (OnnxModelSession.EncoderStates, states), ("use_cache_branch", tensor([start > 0]))));
    }

    private static double CompareDelayMask(string path, MusicGenModel model)
    {
        using var session = ExportedSession.Open(path, DelayMask);
        using var run = new RunOptions();
        var pattern = model.Pattern;
        int[][] start = [.. Enumerable.Range(0, pattern.Codebooks).Select(codebook => (int[])[pattern.PaddingId, codebook, codebook + 1])];
        foreach (var length in (int[])[start[0].Length, start[0].Length + 2 * pattern.Depth])
        {
            if (length < start[0].Length + pattern.Depth - 1 && length >= 2 * pattern.Depth - 1)
                continue;
            long[] ids = [.. start.SelectMany(row => row).Select(id => (long)id)];
            using var idValue = OrtValue.CreateTensorValueFromMemory(ids, [pattern.Codebooks, start[0].Length]);
            using var padding = OrtValue.CreateTensorValueFromMemory([(long)pattern.PaddingId], []);
            using var lengthValue = OrtValue.CreateTensorValueFromMemory([(long)length], []);
            using var outputs = session.Run(
                run, ["input_ids", "pad_token_id", "max_length"], [idValue, padding, lengthValue],
                    ["input_ids_edited", "delay_pattern_mask"]);
            var (mask, first) = pattern.Mask(start, length);
            if (!Same(outputs[0], first) || !Same(outputs[1], mask))
                return double.PositiveInfinity;
        }

        return 0;

        static bool Same(OrtValue value, int[][] rows) =>
            value.GetTensorDataAsSpan<long>().SequenceEqual([.. rows.SelectMany(row => row).Select(id => (long)id)]);
    }

    /// <summary>Two rows, of which the second has no caption.</summary>
    private static (Tensor Ids, Tensor Mask) Captions(MusicGenModel model)
    {
        const int Length = 6;
        var vocabulary = model.TextEncoder.Description.Output.Input.Rows;
        var ids = arange(2 * Length, ScalarType.Int64, model.Device).mul(11).add(3).remainder(vocabulary).view(2, Length);
        return (ids, tensor([1L, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [2, Length], device: model.Device));
    }
}
