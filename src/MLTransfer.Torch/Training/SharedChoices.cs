using System.Collections.Concurrent;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Numerics.Calibration;

namespace MLTransfer.Torch.Training;

/// <summary>
/// Choices by what was measured: a process measures it once, and trials of an experiment, each in its process, once in all.
/// </summary>
internal static class SharedChoices
{
    private static readonly JsonSerializerOptions s_json = new() { RespectNullableAnnotations = true };

    private static readonly ConcurrentDictionary<(string? Folder, string Key), Lazy<ProductChoice>> s_choices = new();

    private static readonly AsyncLocal<string?> s_folder = new();

    /// <summary>Lets what is trained in this flow of calls keep to what a folder has, and leave there what it finds out.</summary>
    /// <param name="folder">Of an experiment; null for none.</param>
    public static void ShareIn(string? folder) => s_folder.Value = folder;

    /// <summary>The choice that was made, or is made now.</summary>
    /// <exception cref="InvalidDataException">The file in the folder is malformed.</exception>
    public static ProductChoice Get(string key, Func<ProductChoice> measure)
    {
        var own = s_choices.GetOrAdd((null, key), _ => new(measure));
        return s_folder.Value is not { } folder ? own.Value
            : s_choices.GetOrAdd((folder, key), _ => new(() => OfFolder(folder, key, own))).Value;
    }

    private static ProductChoice OfFolder(string folder, string key, Lazy<ProductChoice> own)
    {
        var path = Path.Combine(folder, $"computation-{key.Replace(",", "", StringComparison.Ordinal).Replace(' ', '-')}.json");
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(folder);
            var temporary = TemporarySibling.NewName(path);
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(own.Value, s_json));
            try
            {
                File.Move(temporary, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(temporary); // another trial was there first, and decides
            }
        }

        return JsonContent.Deserialize<ProductChoice>(FileKind.Configuration.Read(path), path, s_json);
    }
}
