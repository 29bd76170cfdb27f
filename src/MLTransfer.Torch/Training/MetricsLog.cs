using System.Text.Json;
using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training;

/// <summary><c>metrics.jsonl</c>: a line for every step and evaluation, with the names that transformers logs under.</summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly StreamWriter? _writer;

    /// <summary>What the resumed run had logged up to its checkpoint.</summary>
    public IReadOnlyList<TrainingProgress> Earlier { get; } = [];

    /// <param name="outputDirectory">The folder of the file; null for no file.</param>
    /// <param name="resumedStep">Lines of later steps are dropped: they come again.</param>
    public MetricsLog(string? outputDirectory, int resumedStep)
    {
        if (outputDirectory is null)
            return;
        var path = Path.Combine(outputDirectory, "metrics.jsonl");
        var kept = resumedStep > 0 && File.Exists(path)
            ? File.ReadLines(path).Select(line => (Line: line, Progress: Parse(line))).Where(l => l.Progress?.Step <= resumedStep).ToList()
            : [];
        Earlier = [.. kept.Select(l => l.Progress!)];
        _writer = new StreamWriter(path, append: false) { AutoFlush = true };
        foreach (var (line, _) in kept)
            _writer.WriteLine(line);
    }

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
