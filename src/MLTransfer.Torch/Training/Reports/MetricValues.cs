using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>The numbers of a line of <c>metrics.jsonl</c>, whatever they are called.</summary>
internal static class MetricValues
{
    /// <summary>The step, and the other numbers by name.</summary>
    public static (int Step, IReadOnlyList<(string Name, double Value)> Values) Of(JsonObject line) =>
    (
        (int)Number(line["step"]!),
        [
            .. line.Where(entry => entry.Key != "step" && entry.Value is JsonValue value && value.GetValueKind() == JsonValueKind.Number)
                .Select(entry => (entry.Key, Number(entry.Value!))),
        ]);

    /// <summary>Of whatever type the number is where it was not read from a text.</summary>
    private static double Number(JsonNode value) => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);
}
