using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLTransfer.Benchmarks.Report;

/// <summary>How results are written.</summary>
internal static class ReportJson
{
    public static JsonSerializerOptions OneLine { get; } = new(JsonSerializerDefaults.Web);

    public static JsonSerializerOptions Indented { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };
}
