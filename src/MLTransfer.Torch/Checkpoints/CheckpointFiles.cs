namespace MLTransfer.Torch.Checkpoints;

/// <summary>The names that Hugging Face's libraries give to files of weights.</summary>
internal static class CheckpointFiles
{
    private static readonly string[] s_ofParts = [".safetensors", ".pt"];

    public const string Safetensors = "model.safetensors";
    public const string SafetensorsIndex = "model.safetensors.index.json";
    public const string Pickle = "pytorch_model.bin";
    public const string Encoder = "encoder.safetensors";
    public const string Decoder = "decoder.safetensors";
    public const string PickleIndex = "pytorch_model.bin.index.json";

    /// <summary>The decoder of pictures in a folder of a DALL-E mini, without what its name ends with.</summary>
    public const string Detokenizer = "detoker";

    /// <summary>The sizes of a VQGAN as its training program wrote them.</summary>
    public const string TamingConfiguration = "model.yaml";

    /// <summary>Whether a folder holds a form of checkpoint that has no <c>config.json</c>.</summary>
    public static bool NeedNoConfiguration(string folder) =>
        File.Exists(Path.Combine(folder, TamingConfiguration)) || FindPart(folder, Detokenizer) is not null;

    /// <summary>The file of a part that is stored apart, safetensors rather than <c>.pt</c>; null where there is none.</summary>
    public static string? FindPart(string folder, string part) =>
        s_ofParts.Select(end => Path.Combine(folder, part + end)).FirstOrDefault(File.Exists);
}
