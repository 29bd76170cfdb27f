using System.Globalization;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Audio.Generators;

/// <summary>The file beside a VITS with the names of its speakers, an object of names with numbers.</summary>
internal static class SpeakerFile
{
    public const string FileName = "speakers.json";

    /// <summary>The number of a speaker; null where there is none of the name.</summary>
    /// <param name="speakers">Those that have a name.</param>
    /// <param name="count">The voices of the network.</param>
    /// <param name="speaker">A name, or a number as a text.</param>
    public static int? Find(IReadOnlyDictionary<string, int> speakers, int count, string speaker) =>
        speakers.TryGetValue(speaker, out var number)
        || (int.TryParse(speaker, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < count) ? number : null;

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
