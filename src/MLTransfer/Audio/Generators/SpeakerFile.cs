using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Audio.Generators;

/// <summary>The file beside a VITS with the names of its speakers, an object of names with numbers.</summary>
internal static class SpeakerFile
{
    public const string FileName = "speakers.json";

    public static string Format(IReadOnlyDictionary<string, int> speakers) => new JsonObject(speakers.OrderBy(speaker => speaker.Value)
        .Select(speaker => KeyValuePair.Create(speaker.Key, (JsonNode?)speaker.Value))).ToJsonString();

    /// <exception cref="InvalidDataException">It is malformed.</exception>
    public static Dictionary<string, int> Read(byte[] content, string origin)
    {
        var speakers = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, number) in JsonContent.ParseObject(content, origin))
        {
            speakers.Add(name, number is JsonValue value && value.TryGetValue(out int id) && id >= 0
                ? id : throw new InvalidDataException($"{origin}: the speaker '{name}' has no number of 0 or more."));
        }

        return speakers;
    }
}
