using System.Globalization;

namespace MLTransfer.Experiments.Results;

/// <summary>A color for each completed trial by the place of its loss among all: blue for the best, to orange for the worst.</summary>
internal sealed class TrialColors
{
    private readonly Dictionary<TrialResult, double> _places = [];

    public TrialColors(IEnumerable<TrialResult> trials)
    {
        var sorted = trials.Where(trial => trial.State == TrialState.Completed).OrderBy(trial => trial.Loss).ToList();
        foreach (var (place, trial) in sorted.Index())
            _places[trial] = sorted.Count == 1 ? 0 : (double)place / (sorted.Count - 1);
    }

    /// <summary>Attributes of a line.</summary>
    public string Of(TrialResult trial)
    {
        if (!_places.TryGetValue(trial, out var place))
            return "stroke=\"#bbb\" stroke-dasharray=\"3 3\"";
        var (hue, width) = (210 - 180 * Math.Sqrt(place), place == 0 ? 3 : 1.2);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"stroke=\"hsl({hue:0} 80% 45%)\" stroke-width=\"{width}\" stroke-opacity=\"{0.9 - 0.5 * place:0.00}\"");
    }
}
