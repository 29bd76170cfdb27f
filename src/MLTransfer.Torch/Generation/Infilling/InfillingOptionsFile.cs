using System.Text.Json;
using System.Text.Json.Serialization;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>Reads and writes <c>infilling_config.json</c>: how the masks of a published model are meant to be filled.</summary>
internal static class InfillingOptionsFile
{
    public const string FileName = "infilling_config.json";

    private static readonly JsonSerializerOptions s_format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public static InfillingOptions Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!FileOnDisk.Exists(path))
            return new InfillingOptions();
        var options = JsonContent.Deserialize<InfillingOptions>(FileKind.Configuration.Read(path), path, s_format);
        try
        {
            options.Check();
            return options;
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
    }

    /// <param name="folder">An existing folder.</param>
    /// <param name="options">What is written.</param>
    public static void Write(string folder, InfillingOptions options) =>
        AtomicFile.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(options, s_format) + "\n");
}
