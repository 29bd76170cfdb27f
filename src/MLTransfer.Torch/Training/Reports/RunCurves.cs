using System.Text;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>The numbers of <c>metrics.jsonl</c> over the steps of a run, whatever they are called.</summary>
internal sealed class RunCurves
{
    /// <summary>What grows with the steps alone.</summary>
    private static readonly string[] s_counts = ["epoch", "images", "seconds"];

    private readonly Dictionary<string, List<(int Step, double Value)>> _curves = [];

    /// <summary>Every curve with its name.</summary>
    public IEnumerable<KeyValuePair<string, List<(int Step, double Value)>>> All => _curves;

    /// <summary>The curves that belong into one chart: losses, or a metric of training and of validation rows.</summary>
    public IEnumerable<IGrouping<string, KeyValuePair<string, List<(int Step, double Value)>>>> Charts =>
        _curves.Where(curve => !s_counts.Contains(curve.Key)).GroupBy(curve => curve.Key.EndsWith("loss", StringComparison.Ordinal)
            ? "loss" : curve.Key.StartsWith("eval_", StringComparison.Ordinal) ? curve.Key[5..] : curve.Key);

    /// <summary>Reads what a file has; lines that are none, such as the half line of a killed run, are left out.</summary>
    public static RunCurves Read(string path)
    {
        var curves = new RunCurves();
        if (!File.Exists(path))
            return curves;
        foreach (var line in File.ReadLines(path))
        {
            try
            {
                curves.Add(JsonContent.ParseObject(Encoding.UTF8.GetBytes(line), Path.GetFileName(path)));
            }
            catch (Exception exception) when (exception is InvalidDataException or InvalidOperationException or ArgumentException
                or FormatException or NullReferenceException)
            {
            }
        }

        return curves;
    }

    /// <summary>Adds a line.</summary>
    public void Add(JsonObject line)
    {
        var (step, values) = MetricValues.Of(line);
        foreach (var (name, value) in values)
        {
            if (!_curves.TryGetValue(name, out var points))
                _curves.Add(name, points = []);
            points.Add((step, value));
        }
    }

    /// <summary>Drops the points of later steps.</summary>
    /// <param name="lastStep">0 means that nothing is kept.</param>
    public void GoBackTo(int lastStep)
    {
        if (lastStep == 0)
            _curves.Clear();
        foreach (var points in _curves.Values)
            points.RemoveAll(point => point.Step > lastStep);
    }
}
