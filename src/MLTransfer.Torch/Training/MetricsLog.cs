using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Training;

/// <summary><c>metrics.jsonl</c>: a line for every step and evaluation.</summary>
/// <typeparam name="TReport">What a line tells.</typeparam>
internal sealed class MetricsLog<TReport> : IDisposable
    where TReport : RunProgress, ITrainingReport<TReport>
{
    public const string FileName = "metrics.jsonl";

    private readonly StreamWriter? _writer;

    /// <summary>What the run computes with, for the first line; null for a file that does not tell.</summary>
    public TrainingComputation? Computation { get; init; }

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

    public void Write(TReport report)
    {
        if (_writer is null)
            return;
        var line = report.ToJson();
        if (_writer.BaseStream.Position == 0 && Computation is not null)
            line["computation"] = JsonSerializer.SerializeToNode(Computation);
        _writer.WriteLine(line.ToJsonString());
    }

    public void Dispose() => _writer?.Dispose();

    /// <summary>Drops the lines of later steps and returns what the others say. Step 0 means that nothing is kept.</summary>
    private static List<TReport> Truncate(string path, int lastStep)
    {
        if (lastStep == 0 || FileOnDisk.Length(path) is null or 0)
        {
            File.Delete(path);
            return [];
        }

        // What cannot be read stays where something of the run follows it; else it is the half line of a killed run.
        var lines = ReadLines(path);
        var last = lines.FindLastIndex(l => l.Progress?.Step <= lastStep);
        var kept = lines.Take(last + 1).Where(l => l.Progress is null || l.Progress.Step <= lastStep).ToList();
        AtomicFile.WriteAllText(path, string.Concat(kept.Select(l => l.Line + "\n")));
        return [.. kept.Select(l => l.Progress).OfType<TReport>()];
    }

    private static List<(string Line, TReport? Progress)> ReadLines(string path)
    {
        using var reader = new StreamReader(FileOnDisk.OpenRead(path));
        var lines = new List<(string, TReport?)>();
        while (reader.ReadLine() is { } line)
            lines.Add((line, Parse(line)));
        return lines;
    }

    private static TReport? Parse(string line)
    {
        try
        {
            return TReport.FromJson(JsonContent.ParseObject(Encoding.UTF8.GetBytes(line), FileName));
        }
        catch (Exception exception) when (exception is InvalidDataException or InvalidOperationException or FormatException
            or NullReferenceException)
        {
            return null;
        }
    }
}
