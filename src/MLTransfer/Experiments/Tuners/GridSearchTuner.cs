using MLTransfer.Experiments.Spaces;
using MLTransfer.Experiments.Tuners;

namespace MLTransfer.Experiments;

/// <summary>Goes through a grid, the last option fastest: all choices, and values at equal distances of each range. Then it ends.</summary>
public sealed class GridSearchTuner : ITuner
{
    private readonly TunerHistory _history;
    private readonly double[][] _values;
    private int[]? _next;

    /// <param name="searchSpace">What to search.</param>
    /// <param name="step">The most values of a range, its ends among them.</param>
    public GridSearchTuner(SearchSpace searchSpace, int step = 10)
    {
        OptionCheck.AtLeast(nameof(step), step, 1);
        _history = new TunerHistory(searchSpace, seed: 0);
        var space = _history.Space;
        _values = [.. Enumerable.Range(0, space.Count).Select(i => ValuesOf(space[i].Domain, step))];
        _next = new int[space.Count];
    }

    /// <inheritdoc/>
    public Parameter? Propose(TrialSettings settings)
    {
        if (_next is null)
            return null;
        var point = new double[_values.Length];
        for (var i = 0; i < point.Length; i++)
            point[i] = _values[i][_next[i]];
        var parameter = _history.Propose(settings, point);
        Advance(point);
        return parameter;
    }

    /// <inheritdoc/>
    public void Update(TrialResult result) => _history.Update(result);

    /// <summary>Options that mean nothing at this point are not gone through.</summary>
    private void Advance(double[] point)
    {
        for (var i = point.Length - 1; i >= 0; i--)
        {
            if (!double.IsNaN(point[i]) && _next![i] + 1 < _values[i].Length)
            {
                _next[i]++;
                return;
            }

            _next![i] = 0;
        }

        _next = null;
    }

    private static double[] ValuesOf(Domain domain, int step)
    {
        if (domain.IsSingle)
            return [domain.Low];
        if (domain.IsCategorical)
            return [.. Enumerable.Range(0, domain.Choices).Select(choice => (double)choice)];
        if (step == 1)
            return [domain.FromUnit(0.5)];
        var (low, high) = (domain.Scaled(domain.Low), domain.Scaled(domain.High));
        return
        [
            .. Enumerable.Range(0, step).Select(i => i == 0 ? domain.Low : i == step - 1 ? domain.High
                : domain.FromScaled(low + (high - low) * i / (step - 1))).Distinct(),
        ];
    }
}
