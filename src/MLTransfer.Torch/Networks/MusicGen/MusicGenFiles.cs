using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Networks.MusicGen;

/// <summary>What stands beside a MusicGen's weights in Hugging Face layout, but for the tokenizer.</summary>
internal static class MusicGenFiles
{
    public const string Generation = "generation_config.json";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>The content of <c>generation_config.json</c>; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public static JsonObject? ReadGeneration(string folder)
    {
        var path = Path.Combine(folder, Generation);
        return FileOnDisk.Exists(path) ? JsonContent.ParseObject(FileKind.Configuration.Read(path), path) : null;
    }

    /// <summary>Writes <c>preprocessor_config.json</c>, and <c>generation_config.json</c> with the tokens that generation needs.</summary>
    public static void Write(string folder, MusicGenModel model)
    {
        Write(folder, "preprocessor_config.json", new JsonObject
        {
            ["chunk_length_s"] = null,
            ["feature_extractor_type"] = "EncodecFeatureExtractor",
            ["feature_size"] = model.Channels,
            ["overlap"] = null,
            ["padding_side"] = "left",
            ["padding_value"] = 0.0,
            ["processor_class"] = "MusicgenProcessor",
            ["return_attention_mask"] = true,
            ["sampling_rate"] = model.SampleRate,
        });
        var generation = model.GenerationEntries?.DeepClone().AsObject() ?? new JsonObject
        {
            ["do_sample"] = true, ["guidance_scale"] = 3.0, ["max_length"] = 30 * model.FrameRate,
        };
        generation["bos_token_id"] ??= model.StartId;
        generation["decoder_start_token_id"] = model.StartId;
        generation["pad_token_id"] ??= model.Pattern.PaddingId;
        Write(folder, Generation, generation);
    }

    private static void Write(string folder, string name, JsonObject content) =>
        AtomicFile.WriteAllText(Path.Combine(folder, name), content.ToJsonString(s_indented) + "\n");
}
