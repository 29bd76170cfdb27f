using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Experiments.Running;

/// <summary>Lines of the journal as JSON, with all digits.</summary>
internal static class JournalText
{
    private const int Version = 1;

    public static string Write(JournalLine line) => (line switch
    {
        JournalLine.Head head => new JsonObject
        {
            ["journal"] = Version, ["seed"] = head.Seed, ["tuner"] = head.Tuner, ["space"] = head.Space.DeepClone(),
        },
        JournalLine.Start { Settings: var settings } start => new JsonObject
        {
            ["trial"] = settings.TrialId, ["start"] = Time(settings.StartedAtUtc),
            ["by"] = start.IsGiven ? "given" : "tuner", ["parameter"] = settings.Parameter.ToJson(),
        },
        JournalLine.Report report => ReportText(report),
        JournalLine.End { Result: var result } => new JsonObject
        {
            ["trial"] = result.TrialSettings.TrialId, ["end"] = Time(result.TrialSettings.EndedAtUtc ?? default),
            ["state"] = result.State.ToString(), ["loss"] = Number(result.Loss), ["metric"] = Number(result.Metric),
            ["milliseconds"] = Number(result.DurationInMilliseconds), ["megabytes"] = Number(result.PeakMemoryInMegaByte),
            ["cpu"] = Number(result.PeakCpu), ["bytes"] = result.ModelSize, ["tokens"] = result.Tokens, ["error"] = result.Error,
        },
        _ => throw new ArgumentException($"The journal has no {line.GetType().Name}.", nameof(line)),
    }).ToJsonString();

    /// <exception cref="InvalidDataException">It is no line of a journal.</exception>
    public static JournalLine Read(ReadOnlySpan<byte> line, string origin)
    {
        var json = JsonContent.ParseObject(line, origin);
        try
        {
            if (json.ContainsKey("journal"))
            {
                return json["journal"]!.GetValue<int>() == Version
                    ? new JournalLine.Head(json["seed"]!.GetValue<long>(), json["tuner"]!.GetValue<string>(), json["space"]!)
                    : throw new InvalidDataException($"{origin} was written by a later version of this library.");
            }

            var trial = json["trial"]!.GetValue<int>();
            if (json.ContainsKey("start"))
            {
                return new JournalLine.Start(
                    new TrialSettings
                    {
                        TrialId = trial, StartedAtUtc = Time(json["start"]!),
                        Parameter = Parameter.FromJson(json["parameter"]!.Deserialize<JsonElement>()),
                    },
                    json["by"]!.GetValue<string>() == "given");
            }

            if (json.ContainsKey("step"))
            {
                return new JournalLine.Report(
                    trial, new TrialReport(json["step"]!.GetValue<int>(), Number(json["loss"]) ?? double.NaN),
                    json["place"]!.GetValue<long>()) { Tokens = json["tokens"]?.GetValue<long>() ?? 0 };
            }

            return new JournalLine.End(new TrialResult
            {
                TrialSettings = new TrialSettings { TrialId = trial, EndedAtUtc = Time(json["end"]!) },
                State = Enum.Parse<TrialState>(json["state"]!.GetValue<string>()),
                Loss = Number(json["loss"]) ?? double.NaN, Metric = Number(json["metric"]) ?? double.NaN,
                DurationInMilliseconds = Number(json["milliseconds"]) ?? 0, PeakMemoryInMegaByte = Number(json["megabytes"]),
                PeakCpu = Number(json["cpu"]), ModelSize = json["bytes"]?.GetValue<long>(), Tokens = json["tokens"]?.GetValue<long>() ?? 0,
                Error = json["error"]?.GetValue<string>(),
            });
        }
        catch (Exception exception) when (exception is NullReferenceException or InvalidOperationException or FormatException
            or ArgumentException)
        {
            throw new InvalidDataException($"{origin} is no line of an experiment's journal: {exception.Message}", exception);
        }
    }

    private static JsonObject ReportText(JournalLine.Report report)
    {
        var json = new JsonObject
        {
            ["trial"] = report.Trial, ["step"] = report.Value.Step, ["loss"] = Number(report.Value.Loss), ["place"] = report.Place,
        };
        if (report.Tokens > 0)
            json["tokens"] = report.Tokens;
        return json;
    }

    /// <summary>JSON has no NaN: it is null.</summary>
    private static JsonValue? Number(double? value) => value is { } number && double.IsFinite(number) ? JsonValue.Create(number) : null;

    private static double? Number(JsonNode? node) => node?.GetValue<double>();

    private static string Time(DateTime time) => time.ToString("O", CultureInfo.InvariantCulture);

    private static DateTime Time(JsonNode node) =>
        DateTime.Parse(node.GetValue<string>(), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}
