using System.Globalization;
using System.Text;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>Curves over steps as an SVG picture.</summary>
internal static class CurveChart
{
    private const int Width = 560, Height = 260, Left = 64, Right = 12, Top = 12, Bottom = 44;

    /// <summary>A curve is drawn with at most two points for each of so many parts of the run, the lowest and the highest.</summary>
    private const int Parts = 400;

    private static readonly string[] s_colors = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd"];

    /// <summary>An element for a page.</summary>
    /// <param name="curves">By name, with finite values in the order of steps.</param>
    public static string ToSvg(IReadOnlyList<KeyValuePair<string, List<(int Step, double Value)>>> curves)
    {
        var drawn = curves.Select(curve => (curve.Key, Points: Thin(curve.Value))).ToList();
        var all = drawn.SelectMany(curve => curve.Points).ToList();
        var xTicks = AxisTicks.Around(all.Select(point => (double)point.Step));
        var yTicks = AxisTicks.Around(all.Select(point => point.Value));
        double X(double x) => Left + (x - xTicks[0]) / (xTicks[^1] - xTicks[0]) * (Width - Left - Right);
        double Y(double y) => Height - Bottom - (y - yTicks[0]) / (yTicks[^1] - yTicks[0]) * (Height - Top - Bottom);

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

        foreach (var (index, (name, points)) in drawn.Index())
        {
            var color = s_colors[index % s_colors.Length];
            var path = string.Join(
                ' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.Step):0.#},{Y(p.Value):0.#}")));
            Add($"<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" points=\"{path}\"/>");
            if (points.Count <= 40)
            {
                foreach (var (step, value) in points)
                    Add($"<circle cx=\"{X(step):0.#}\" cy=\"{Y(value):0.#}\" r=\"2.5\" fill=\"{color}\"/>");
            }

            Add($"<text x=\"{Left + 130 * index}\" y=\"{Height - 8}\" fill=\"{color}\">{PageText.Escape(name)}</text>");
        }

        return svg.Append("</svg>").ToString();

        void Add(FormattableString element) => svg.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static List<(int Step, double Value)> Thin(List<(int Step, double Value)> points)
    {
        if (points.Count <= 2 * Parts)
            return points;
        var size = (points.Count + Parts - 1) / Parts;
        return
        [
            .. points.Chunk(size).SelectMany(part =>
            {
                var (low, high) = (part.MinBy(point => point.Value), part.MaxBy(point => point.Value));
                return low.Step <= high.Step ? new[] { low, high } : [high, low];
            }),
        ];
    }
}
