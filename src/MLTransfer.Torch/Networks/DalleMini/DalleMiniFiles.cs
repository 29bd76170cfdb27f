using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.DalleMini;

/// <summary>The files of a DALL-E mini, but for the tokenizer.</summary>
internal static class DalleMiniFiles
{
    public const string CodecConfiguration = "vqgan_config.json";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>The files of weights, and what stands before their names in this library.</summary>
    private static readonly (string File, string Prefix)[] s_parts =
    [
        ("encoder", $"{DalleMiniModel.TransformerName}.encoder."), ("decoder", $"{DalleMiniModel.TransformerName}.decoder."),
        (CheckpointFiles.Detokenizer, $"{DalleMiniModel.CodecName}."),
    ];

    /// <summary>Whether a folder holds a DALL-E mini.</summary>
    public static bool AreIn(string folder) => s_parts.All(part => CheckpointFiles.FindPart(folder, part.File) is not null);

    /// <summary>Opens the three files of weights as one checkpoint.</summary>
    /// <exception cref="FileNotFoundException">One is missing.</exception>
    /// <exception cref="InvalidDataException">One is damaged or of a kind that is not read; the message names it.</exception>
    public static Checkpoint OpenWeights(string folder) => JoinedCheckpoint.Open(folder,
    [
        .. s_parts.Select(part => (part.Prefix, CheckpointFiles.FindPart(folder, part.File) ?? throw new FileNotFoundException(
            $"'{folder}' has no {part.File}.safetensors and no {part.File}.pt. A DALL-E mini has "
            + $"{string.Join(", ", s_parts.Select(p => p.File))}, each as one of the two."))),
    ]);

    /// <summary>The content of <c>config.json</c>, or what the tensors tell.</summary>
    public static JsonObject ReadConfiguration(string folder, Checkpoint weights) =>
        FileOnDisk.Exists(Path.Combine(folder, ModelConfigurationFile.FileName))
            ? ModelConfigurationFile.Read(folder) : new DalleMiniShapes(weights).Configure();

    /// <summary>The content of <c>vqgan_config.json</c>, or what the tensors tell.</summary>
    public static JsonObject ReadCodecConfiguration(string folder, Checkpoint weights)
    {
        var path = Path.Combine(folder, CodecConfiguration);
        return FileOnDisk.Exists(path) ? JsonContent.ParseObject(FileKind.Configuration.Read(path), path)
            : new DalleMiniShapes(weights).ConfigureCodec();
    }

    /// <summary>Writes both configurations and the three files of weights.</summary>
    public static void Write(
        string folder, JsonObject configuration, JsonObject codecConfiguration, IReadOnlyList<KeyValuePair<string, Tensor>> tensors,
        ScalarType dataType, ScalarType? storeAs)
    {
        WriteConfigurations(folder, configuration, codecConfiguration, dataType);
        foreach (var (file, prefix) in s_parts)
        {
            SafetensorsWriter.Write(
                Path.Combine(folder, file + ".safetensors"),
                tensors.Where(tensor => tensor.Key.StartsWith(prefix, StringComparison.Ordinal))
                    .Select(tensor => KeyValuePair.Create(tensor.Key[prefix.Length..], tensor.Value)),
                storeAs: storeAs);
        }
    }

    /// <summary>Writes both configurations.</summary>
    public static void WriteConfigurations(string folder, JsonObject configuration, JsonObject codecConfiguration, ScalarType dataType)
    {
        ModelConfigurationFile.Write(folder, configuration, dataType);
        AtomicFile.WriteAllText(Path.Combine(folder, CodecConfiguration), codecConfiguration.ToJsonString(s_indented) + "\n");
    }

    /// <summary>Refuses a codec of other pictures than the transformer writes.</summary>
    /// <exception cref="InvalidDataException">They do not fit each other.</exception>
    public static void CheckFit(EncoderDecoderModel transformer, VqganModel codec, string origin)
    {
        var (codes, rows) = (transformer.ContextLength, transformer.VocabularySize);
        if (codec.CodesPerSide * codec.CodesPerSide != codes)
        {
            throw new InvalidDataException(
                $"{origin}: image_length of config.json is {codes}, but the codec makes {codec.CodesPerSide} x {codec.CodesPerSide} codes "
                + $"of a picture (resolution and ch_mult of {CodecConfiguration}).");
        }

        if (codec.CodebookSize > rows)
        {
            throw new InvalidDataException(
                $"{origin}: the codec has {codec.CodebookSize} codewords (n_embed of {CodecConfiguration}), but the decoder writes {rows} "
                + "codes (image_vocab_size of config.json and one more).");
        }
    }
}
