using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training;

/// <summary><c>metrics.jsonl</c>: a line for every step and evaluation.</summary>
/// <typeparam name="TReport">What a line tells.</typeparam>
internal sealed class MetricsLog<TReport> : IDisposable
    where TReport : RunProgress, ITrainingReport<TReport>
{
    public const string FileName = "metrics.jsonl";

    private readonly StreamWriter? _writer;

    /// <summary>What the resumed run had logged up to its checkpoint.</summary>
    public IReadOnlyList<TReport> Earlier { get; } = [];

    /// <param name="outputDirectory">The folder of the file; null for no file.</param>
    /// <param name="resumedStep">Lines of later steps are dropped: they come again.</param>
    public MetricsLog(string? outputDirectory, int resumedStep)
    {
        if (outputDirectory is null)
            return;
        var path = Path.Combine(outputDirectory, FileName);
        Earlier = Truncate(path, resumedStep);
        _writer = new StreamWriter(path, append: true) { AutoFlush = true };
    }

    /// <summary>Takes back what was logged after a checkpoint; all of it where there is none.</summary>
    public static void GoBackTo(string outputDirectory, int? checkpointStep) =>
        Truncate(Path.Combine(outputDirectory, FileName), checkpointStep ?? 0);

    public void Write(TReport report) => _writer?.WriteLine(report.ToJson().ToJsonString());

    public void Dispose() => _writer?.Dispose();

    /// <summary>Drops the lines of later steps and returns what the others say. Step 0 means that nothing is kept.</summary>
    private static List<TReport> Truncate(string path, int lastStep)
    {
        if (lastStep == 0 || !File.Exists(path))
        {
            File.Delete(path);
            return [];
        }

        var kept = File.ReadLines(path).Select(line => (Line: line, Progress: Parse(line)))
            .Where(l => l.Progress?.Step <= lastStep).ToList();
        AtomicFile.WriteAllText(path, string.Concat(kept.Select(l => l.Line + "\n")));
        return [.. kept.Select(l => l.Progress!)];
    }

    private static TReport? Parse(string line)
    {
        try
        {
            return TReport.FromJson(JsonNode.Parse(line)!);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException
            or NullReferenceException)
        {
            return null; // the half line of a killed run
        }
    }
}
