using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training;

/// <summary><c>metrics.jsonl</c>: a line for every step and evaluation, with the names that transformers logs under.</summary>
internal sealed class MetricsLog : IDisposable
{
    private const string FileName = "metrics.jsonl";

    private readonly StreamWriter? _writer;

    /// <summary>What the resumed run had logged up to its checkpoint.</summary>
    public IReadOnlyList<TrainingProgress> Earlier { get; } = [];

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
    public static void GoBackTo(string outputDirectory, TrainingCheckpoint? checkpoint) =>
        Truncate(Path.Combine(outputDirectory, FileName), checkpoint?.Step ?? 0);

    public void Write(TrainingProgress progress)
    {
        if (_writer is null)
            return;
        var line = new JsonObject { ["step"] = progress.Step, ["epoch"] = Math.Round(progress.Epoch, 4) };
        Add("loss", progress.Loss);
        Add("grad_norm", progress.GradientNorm);
        Add("learning_rate", progress.LearningRate);
        Add("eval_loss", progress.ValidationLoss);
        Add("tokens_per_second", Math.Round(progress.TokensPerSecond, 1));
        Add("seconds", Math.Round(progress.Elapsed.TotalSeconds, 3));
        _writer.WriteLine(line.ToJsonString());

        void Add(string name, double? value)
        {
            if (value is { } number && double.IsFinite(number)) // JSON has no NaN
                line[name] = number;
        }
    }

    public void Dispose() => _writer?.Dispose();

    /// <summary>Drops the lines of later steps and returns what the others say. Step 0 means that nothing is kept.</summary>
    private static List<TrainingProgress> Truncate(string path, int lastStep)
    {
        if (lastStep == 0 || !File.Exists(path))
        {
            File.Delete(path);
            return [];
        }

        var kept = File.ReadLines(path).Select(line => (Line: line, Progress: Parse(line))).Where(l => l.Progress?.Step <= lastStep).ToList();
        AtomicFile.WriteAllText(path, string.Concat(kept.Select(l => l.Line + "\n")));
        return [.. kept.Select(l => l.Progress!)];
    }

    private static TrainingProgress? Parse(string line)
    {
        try
        {
            var json = JsonNode.Parse(line)!;
            return new TrainingProgress
            {
                Step = json["step"]!.GetValue<int>(),
                TotalSteps = 0,
                Epoch = json["epoch"]!.GetValue<double>(),
                Loss = json["loss"]?.GetValue<double>(),
                ValidationLoss = json["eval_loss"]?.GetValue<double>(),
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            return null; // the half line of a killed run
        }
    }
}
