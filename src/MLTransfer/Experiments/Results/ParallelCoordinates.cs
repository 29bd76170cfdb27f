using System.Globalization;
using System.Text;
using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Training.Reports;

namespace MLTransfer.Experiments.Results;

/// <summary>
/// An axis for each option and one for the loss, and a line through them for each trial (Inselberg 1985), as an SVG picture.
/// </summary>
internal static class ParallelCoordinates
{
    private const int Height = 320, Top = 34, Bottom = 26, AxisDistance = 150, Margin = 70;

    public static string ToSvg(FlatSpace space, ExperimentReport report)
    {
        var shown = report.Trials.Where(trial => double.IsFinite(trial.Loss)).ToList();
        var losses = shown.Select(trial => trial.Loss).ToList();
        var (lowest, highest) = losses.Count == 0 ? (0, 1) : (losses.Min(), losses.Max());
        var colors = new TrialColors(report.Trials);
        var svg = new StringBuilder();
        Add($"<svg viewBox=\"0 0 {2 * Margin + space.Count * AxisDistance} {Height}\" role=\"img\">");
        for (var axis = 0; axis <= space.Count; axis++)
        {
            var x = Margin + axis * AxisDistance;
            var name = axis < space.Count ? space[axis].Name : "loss";
            Add($"<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/>");
            Add($"<text x=\"{x}\" y=\"14\" text-anchor=\"middle\">{PageText.Escape(name)}</text>");
            foreach (var (place, label) in Labels(axis))
                Add($"<text x=\"{x + 4}\" y=\"{Y(place) + 4:0.#}\">{PageText.Escape(label)}</text>");
        }

        foreach (var trial in shown.OrderByDescending(trial => trial.Loss)) // the best on top
        {
            var point = space.FromParameter(trial.TrialSettings.Parameter);
            var path = new StringBuilder();
            var isDrawn = false;
            for (var axis = 0; axis <= space.Count; axis++)
            {
                var place = axis == space.Count ? highest > lowest ? (trial.Loss - lowest) / (highest - lowest) : 0.5
                    : double.IsNaN(point[axis]) ? double.NaN : space[axis].Domain.ToUnit(point[axis]);
                if (!double.IsNaN(place))
                {
                    path.Append(CultureInfo.InvariantCulture,
                        $"{(isDrawn ? 'L' : 'M')}{Margin + axis * AxisDistance},{Y(place):0.#}");
                }

                isDrawn = !double.IsNaN(place);
            }

            svg.Append(CultureInfo.InvariantCulture, $"<path fill=\"none\" {colors.Of(trial)} d=\"{path}\"/>\n");
        }

        return svg.Append("</svg>").ToString();

        double Y(double place) => Height - Bottom - place * (Height - Top - Bottom);

        IEnumerable<(double Place, string Label)> Labels(int axis)
        {
            if (axis == space.Count)
                return [(0, TrialTable.Short(lowest)), (1, TrialTable.Short(highest))];
            var (domain, option) = (space[axis].Domain, space[axis].Option);
            return domain.IsCategorical
                ? Enumerable.Range(0, domain.Choices).Select(choice => (domain.ToUnit(choice), Label(option.ToParameter(choice))))
                : [(domain.ToUnit(domain.Low), TrialTable.Short(domain.Low)), (domain.ToUnit(domain.High), TrialTable.Short(domain.High))];
        }

        void Add(FormattableString element) => svg.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Label(Parameter parameter) =>
        parameter.ParameterType == ParameterType.String ? parameter.AsType<string>() : parameter.ToString();
}
