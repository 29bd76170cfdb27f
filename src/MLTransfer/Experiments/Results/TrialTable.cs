using System.Globalization;
using System.Text;
using MLTransfer.Experiments.Spaces;

namespace MLTransfer.Experiments.Results;

/// <summary>Trials as rows: their numbers, and a column for each option.</summary>
internal static class TrialTable
{
    private static readonly string[] s_numbers =
        ["trial", "state", "loss", "metric", "milliseconds", "megabytes", "cpu", "bytes", "tokens"];

    public static string ToText(FlatSpace space, ExperimentReport report)
    {
        List<string[]> rows = [["", "trial", "state", "loss", "seconds", .. Names(space)]];
        rows.AddRange(report.Trials.Select(trial => (string[])
        [
            Mark(report, trial), Text(trial.TrialSettings.TrialId), trial.State.ToString(), Short(trial.Loss),
            (trial.DurationInMilliseconds / 1000).ToString("0.0", CultureInfo.InvariantCulture), .. Values(space, trial, Short),
        ]));
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        return string.Concat(rows.Select(row =>
            string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd() + "\n"));
    }

    public static string ToCsv(FlatSpace space, ExperimentReport report)
    {
        var text = new StringBuilder();
        Add(text, [.. s_numbers, "front", .. Names(space), "error"]);
        foreach (var trial in report.Trials)
        {
            Add(text,
            [
                Text(trial.TrialSettings.TrialId), trial.State.ToString(), Text(trial.Loss), Text(trial.Metric),
                Text(trial.DurationInMilliseconds), Text(trial.PeakMemoryInMegaByte), Text(trial.PeakCpu),
                Text(trial.ModelSize), Text(trial.Tokens),
                report.Front.Contains(trial) ? "1" : "0", .. Values(space, trial, value => Text(value)), trial.Error ?? "",
            ]);
        }

        return text.ToString();
    }

    /// <summary>Of each option the chosen value; empty where it means nothing.</summary>
    /// <param name="space">The space.</param>
    /// <param name="trial">The trial.</param>
    /// <param name="number">Writes a number.</param>
    public static IEnumerable<string> Values(FlatSpace space, TrialResult trial, Func<double, string> number)
    {
        var point = space.FromParameter(trial.TrialSettings.Parameter);
        return point.Select((value, i) =>
        {
            if (double.IsNaN(value))
                return "";
            var parameter = space[i].Option.ToParameter(value);
            return parameter.ParameterType switch
            {
                ParameterType.Number => number(parameter.AsType<double>()),
                ParameterType.String => parameter.AsType<string>(),
                _ => parameter.ToString(),
            };
        });
    }

    public static IEnumerable<string> Names(FlatSpace space) => Enumerable.Range(0, space.Count).Select(i => space[i].Name);

    public static string Short(double number) => number.ToString("G5", CultureInfo.InvariantCulture);

    private static string Mark(ExperimentReport report, TrialResult trial) =>
        trial == report.Best ? "*" : report.Front.Contains(trial) ? "+" : "";

    private static string Text(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "";

    private static void Add(StringBuilder text, IEnumerable<string> cells) =>
        text.AppendJoin(',', cells.Select(cell => cell.AsSpan().ContainsAny(",\"\r\n")
            ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell)).Append('\n');
}
