using System.Globalization;
using System.Text;
using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Training.Reports;

namespace MLTransfer.Experiments.Results;

/// <summary><c>experiment.html</c>, a page like that of a training run: one file, no script, nothing from elsewhere.</summary>
internal static class ExperimentPage
{
    private const string Head = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width">
        <style>
        body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5em auto; max-width: 1200px; padding: 0 1em; color: #222; }
        h1 { font-size: 1.4em; } h2 { font-size: 1.15em; margin-top: 1.6em; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 1em; }
        figure { margin: 0; } figcaption { font-size: 0.85em; color: #555; }
        svg { width: 100%; } svg text { font-size: 12px; fill: currentColor; } svg .grid { stroke: #ddd; }
        .wide { overflow-x: auto; } table { border-collapse: collapse; }
        td, th { border-top: 1px solid #ddd; padding: 0.25em 0.7em; text-align: left; vertical-align: top; white-space: nowrap; }
        td.wrap { white-space: pre-wrap; overflow-wrap: anywhere; } .best { font-weight: bold; }
        .bar { background: #1f77b4; height: 0.9em; }
        </style>
        <title>Experiment</title>
        </head>
        <body>
        <h1>Experiment</h1>

        """;

    public static string Create(FlatSpace space, ExperimentReport report)
    {
        var page = new StringBuilder(Head);
        AddSummary(page, report);
        page.Append("<div class=\"charts\">\n");
        AddFigure(page, LossSvg(report), "loss of each trial, and the best so far");
        AddFigure(page, TrialCurves.ToSvg(report.Trials), "what trials reported on the way, by step");
        page.Append("</div>\n<h2>Options</h2>\n<div class=\"wide\">\n");
        AddFigure(page, ParallelCoordinates.ToSvg(space, report),
            "a line a trial, the best in blue; dashed ones were ended before their end");
        page.Append("</div>\n");
        AddImportances(page, report);
        AddTrials(page, space, report);
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static void AddSummary(StringBuilder page, ExperimentReport report)
    {
        var states = report.Trials.GroupBy(trial => trial.State).OrderBy(group => group.Key)
            .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {group.Key.ToString().ToLowerInvariant()}"));
        page.Append(CultureInfo.InvariantCulture, $"<p>{report.Trials.Count} trials: {string.Join(", ", states)}.");
        if (report.Best is { } best)
        {
            var options = PageText.Escape(best.TrialSettings.Parameter.ToString());
            page.Append(CultureInfo.InvariantCulture, $" Trial {best.TrialSettings.TrialId} is the best: loss {best.Loss:G6}, {options}.");
            page.Append(CultureInfo.InvariantCulture, $" {report.Front.Count} are on the front of {string.Join(", ", report.Objectives)},");
            page.Append(CultureInfo.InvariantCulture, $" with a hypervolume of {report.Hypervolume:G4}.");
        }

        page.Append("</p>\n");
    }

    private static string? LossSvg(ExperimentReport report)
    {
        var losses = report.Trials.Where(trial => trial.State == TrialState.Completed)
            .Select(trial => (Step: trial.TrialSettings.TrialId, Value: trial.Loss)).OrderBy(loss => loss.Step).ToList();
        if (losses.Count == 0)
            return null;
        var best = double.PositiveInfinity;
        return CurveChart.ToSvg(
        [
            KeyValuePair.Create("loss", losses),
            KeyValuePair.Create("best so far", losses.Select(loss => (loss.Step, best = Math.Min(best, loss.Value))).ToList()),
        ]);
    }

    private static void AddFigure(StringBuilder page, string? svg, string caption)
    {
        if (svg is not null)
            page.Append($"<figure>\n{svg}\n<figcaption>{caption}</figcaption>\n</figure>\n");
    }

    private static void AddImportances(StringBuilder page, ExperimentReport report)
    {
        if (report.Importances.Count == 0)
            return;
        page.Append("<h2>Importance</h2>\n<p>The share of what makes losses different that each option has by itself.</p>\n<table>\n");
        foreach (var (name, share) in report.Importances)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>{PageText.Escape(name)}</th><td>{share:0.0%}</td>");
            page.Append(CultureInfo.InvariantCulture, $"<td><div class=\"bar\" style=\"width: {400 * share:0}px\"></div></td></tr>\n");
        }

        page.Append("</table>\n");
    }

    private static void AddTrials(StringBuilder page, FlatSpace space, ExperimentReport report)
    {
        page.Append("<h2>Trials</h2>\n<p>Those of the front are marked by +.</p>\n<div class=\"wide\">\n<table>\n");
        string[] heads = ["", "trial", "state", "loss", "seconds", .. TrialTable.Names(space), ""];
        page.Append($"<tr>{string.Concat(heads.Select(head => $"<th>{PageText.Escape(head)}</th>"))}</tr>\n");
        foreach (var trial in report.Trials)
        {
            page.Append(trial == report.Best ? "<tr class=\"best\">" : "<tr>");
            page.Append(CultureInfo.InvariantCulture,
                $"<td>{(report.Front.Contains(trial) ? "+" : "")}</td><td>{trial.TrialSettings.TrialId}</td><td>{trial.State}</td>");
            page.Append(CultureInfo.InvariantCulture, $"<td>{trial.Loss:G6}</td><td>{trial.DurationInMilliseconds / 1000:0.0}</td>");
            foreach (var value in TrialTable.Values(space, trial, TrialTable.Short))
                page.Append($"<td>{PageText.Escape(value)}</td>");
            page.Append($"<td class=\"wrap\">{PageText.Escape(trial.Error ?? "")}</td></tr>\n");
        }

        page.Append("</table>\n</div>\n");
    }
}
