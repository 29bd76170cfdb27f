using System.Globalization;
using System.Text;
using MLTransfer.Torch.Training.Reports;

namespace MLTransfer.Experiments.Results;

/// <summary>The reports of all trials as curves, as an SVG picture.</summary>
internal static class TrialCurves
{
    private const int Width = 560, Height = 260, Left = 64, Right = 12, Top = 12, Bottom = 30;

    /// <returns>Null where no trial reported.</returns>
    public static string? ToSvg(IReadOnlyList<TrialResult> trials)
    {
        var curves = trials
            .Select(trial => (Trial: trial, Reports: trial.Reports.Where(report => double.IsFinite(report.Loss)).ToList()))
            .Where(curve => curve.Reports.Count > 0).OrderByDescending(curve => curve.Trial.Loss).ToList();
        if (curves.Count == 0)
            return null;
        var xTicks = AxisTicks.Around(curves.SelectMany(curve => curve.Reports).Select(report => (double)report.Step));
        var yTicks = AxisTicks.Around(curves.SelectMany(curve => curve.Reports).Select(report => report.Loss));
        var colors = new TrialColors(trials);
        var svg = new StringBuilder();
        Add($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\">");
        foreach (var tick in xTicks)
        {
            Add($"<line class=\"grid\" x1=\"{X(tick):0.#}\" x2=\"{X(tick):0.#}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/>");
            Add($"<text x=\"{X(tick):0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{AxisTicks.Format(tick)}</text>");
        }

        foreach (var tick in yTicks)
        {
            Add($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick):0.#}\" y2=\"{Y(tick):0.#}\"/>");
            Add($"<text x=\"{Left - 6}\" y=\"{Y(tick) + 4:0.#}\" text-anchor=\"end\">{AxisTicks.Format(tick)}</text>");
        }

        foreach (var (trial, reports) in curves)
        {
            var points = string.Join(' ', reports.Select(report =>
                string.Create(CultureInfo.InvariantCulture, $"{X(report.Step):0.#},{Y(report.Loss):0.#}")));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" {colors.Of(trial)} points=\"{points}\"/>\n");
        }

        return svg.Append("</svg>").ToString();

        double X(double x) => Left + (x - xTicks[0]) / (xTicks[^1] - xTicks[0]) * (Width - Left - Right);
        double Y(double y) => Height - Bottom - (y - yTicks[0]) / (yTicks[^1] - yTicks[0]) * (Height - Top - Bottom);
        void Add(FormattableString element) => svg.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
