using MLTransfer.Experiments.Tuners;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments;

/// <summary>
/// Cost-frugal search (Wu, Wang and Huang 2021, arXiv 2005.01571): from the default on, a step in a random direction, then in the opposite
/// one; a better point is where it goes on, and steps get shorter where none is found. With a default that is cheap to train, most trials
/// are cheap. Where steps have become very short, it begins anew at a random point.
/// </summary>
public sealed class CostFrugalTuner : ITuner
{
    private const double FirstStep = 0.1, ShortestStep = 1e-3;

    private readonly TunerHistory _history;
    private readonly Dictionary<int, Move> _running = [];
    private readonly int _patience;
    private double[] _place; // of each dimension, also of those that mean nothing there: from 0 to 1, or the number of a choice
    private double _loss = double.PositiveInfinity;
    private double _step;
    private double[]? _opposite; // the direction of which the opposite is next
    private int _moves, _movesToBest = 1, _failures;
    private bool _isAtStart = true;

    /// <param name="searchSpace">What to search; it begins with the defaults.</param>
    /// <param name="seed">Decides all draws.</param>
    public CostFrugalTuner(SearchSpace searchSpace, long seed = 0)
    {
        _history = new TunerHistory(searchSpace, seed);
        var space = _history.Space;
        _patience = 1 << Math.Min(9, Math.Max(0, space.Count - 1));
        _place = [.. Enumerable.Range(0, space.Count).Select(i => space[i].Domain.IsCategorical
            ? space[i].Option.DefaultValue : space[i].Option.Default[0])];
        _step = FirstStep * Math.Sqrt(space.Count);
    }

    /// <inheritdoc/>
    public Parameter Propose(TrialSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var draws = _history.NextDraws();
        Move move;
        if (_isAtStart)
        {
            (move, _isAtStart) = (new Move(_place, null), false);
        }
        else
        {
            var direction = _opposite is null ? Direction(ref draws) : [.. _opposite.Select(part => -part)];
            move = new Move(Step(direction, ref draws), _opposite is null ? direction : null);
            _opposite = null;
        }

        _running[settings.TrialId] = move;
        return _history.Propose(settings, ToPoint(move.Place));
    }

    /// <inheritdoc/>
    public void Update(TrialResult result)
    {
        var trial = _history.Update(result);
        if (!_running.Remove(result.TrialSettings.TrialId, out var move))
            return;
        _moves++;
        if (trial.Loss < _loss)
        {
            (_loss, _place, _opposite, _failures, _movesToBest) = (trial.Loss, move.Place, null, 0, _moves);
            return;
        }

        _opposite = move.Direction;
        if (++_failures < _patience)
            return;
        _failures = Math.Max(0, _failures - 2);
        _step *= Math.Sqrt((double)_movesToBest / _moves);
        if (_step < ShortestStep)
            BeginAnew();
    }

    private void BeginAnew()
    {
        var draws = _history.NextDraws();
        _place = [.. _history.Random(ref draws).Select((value, i) =>
            _history.Space[i].Domain is { IsCategorical: false } domain ? domain.ToUnit(value) : value)];
        (_loss, _step, _opposite, _failures) = (double.PositiveInfinity, FirstStep * Math.Sqrt(_place.Length), null, 0);
        (_moves, _movesToBest, _isAtStart) = (0, 1, true);
        _running.Clear(); // what is under way began elsewhere
    }

    private double[] Direction(ref SplitMix64 draws)
    {
        var direction = new double[_place.Length];
        double squares = 0;
        for (var i = 0; i < direction.Length; i++)
        {
            direction[i] = draws.NextNormal();
            squares += direction[i] * direction[i];
        }

        for (var i = 0; i < direction.Length; i++)
            direction[i] *= _step / Math.Sqrt(squares);
        return direction;
    }

    /// <summary>A choice has no directions: it becomes another one, the likelier the longer the step is along it.</summary>
    private double[] Step(double[] direction, ref SplitMix64 draws)
    {
        var place = (double[])_place.Clone();
        for (var i = 0; i < place.Length; i++)
        {
            var domain = _history.Space[i].Domain;
            if (!domain.IsCategorical)
                place[i] = Math.Clamp(place[i] + direction[i], 0, 1);
            else if (domain.Choices > 1 && draws.NextDouble() < Math.Min(0.5, 2 * Math.Abs(direction[i])))
                place[i] = (place[i] + 1 + (int)(draws.NextDouble() * (domain.Choices - 1))) % domain.Choices;
        }

        return place;
    }

    private double[] ToPoint(double[] place) => [.. place.Select((value, i) =>
        _history.Space[i].Domain is { IsCategorical: false } domain ? domain.FromUnit(value) : value)];

    /// <param name="Place">Where it went.</param>
    /// <param name="Direction">What it took; null where its opposite is not to be tried.</param>
    private sealed record Move(double[] Place, double[]? Direction);
}
