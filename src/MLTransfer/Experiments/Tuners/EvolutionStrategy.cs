using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Tuners;

/// <summary>
/// The covariance matrix adaptation evolution strategy in the unit cube, with the constants of Hansen 2016, "The CMA Evolution Strategy: A
/// Tutorial", equations 49 to 58.
/// </summary>
internal sealed class EvolutionStrategy
{
    private readonly int _size;
    private readonly double[] _weights;
    private readonly double _selected, _stepRate, _stepDamping, _pathRate, _rankOneRate, _rankManyRate, _usualLength;
    private readonly double[] _mean, _stepPath, _path;
    private readonly CovarianceMatrix _covariance;
    private readonly List<(double[] Point, double Loss)> _generation = [];
    private double _step;
    private int _generations;

    /// <param name="mean">Where it begins.</param>
    /// <param name="step">The deviation that it begins with.</param>
    public EvolutionStrategy(double[] mean, double step)
    {
        (_size, _mean, _step) = (mean.Length, mean, step);
        (_stepPath, _path, _covariance) = (new double[_size], new double[_size], new CovarianceMatrix(_size));
        Population = 4 + (int)(3 * Math.Log(_size));
        _weights = new double[Population / 2];
        double sum = 0, squares = 0;
        for (var i = 0; i < _weights.Length; i++)
            sum += _weights[i] = Math.Log((Population + 1) / 2.0) - Math.Log(i + 1);
        for (var i = 0; i < _weights.Length; i++)
        {
            _weights[i] /= sum;
            squares += _weights[i] * _weights[i];
        }

        double n = _size;
        _selected = 1 / squares;
        _stepRate = (_selected + 2) / (n + _selected + 5);
        _stepDamping = 1 + 2 * Math.Max(0, Math.Sqrt((_selected - 1) / (n + 1)) - 1) + _stepRate;
        _pathRate = (4 + _selected / n) / (n + 4 + 2 * _selected / n);
        _rankOneRate = 2 / ((n + 1.3) * (n + 1.3) + _selected);
        _rankManyRate = Math.Min(
            1 - _rankOneRate, 2 * (_selected - 2 + 1 / _selected) / ((n + 2) * (n + 2) + _selected));
        _usualLength = Math.Sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
    }

    /// <summary>Points of a generation.</summary>
    public int Population { get; }

    /// <summary>Draws a point in the cube.</summary>
    public double[] Draw(ref SplitMix64 draws)
    {
        Span<double> normal = stackalloc double[_size];
        var point = new double[_size];
        for (var attempt = 0; ; attempt++)
        {
            foreach (ref var number in normal)
                number = draws.NextNormal();
            _covariance.Stretch(normal, 1, fromAxes: true, point);
            var isInside = true;
            for (var i = 0; i < _size; i++)
            {
                point[i] = _mean[i] + _step * point[i];
                isInside &= point[i] is >= 0 and <= 1;
            }

            if (isInside)
                return point;
            if (attempt < 10 * _size)
                continue;
            for (var i = 0; i < _size; i++)
                point[i] = Math.Clamp(point[i], 0, 1);
            return point;
        }
    }

    /// <summary>Takes the loss of a drawn point; the last of a generation moves the strategy on.</summary>
    public void Add(double[] point, double loss)
    {
        _generation.Add((point, loss));
        if (_generation.Count < Population)
            return;
        var ranked = _generation.Index().OrderBy(entry => entry.Item.Loss).ThenBy(entry => entry.Index)
            .Select(entry => entry.Item.Point).Take(_weights.Length).ToArray();
        _generation.Clear();
        _generations++;
        Move(ranked);
    }

    private void Move(double[][] ranked)
    {
        Span<double> shift = stackalloc double[_size], whitened = stackalloc double[_size], difference = stackalloc double[_size];
        shift.Clear();
        for (var k = 0; k < ranked.Length; k++)
        {
            for (var i = 0; i < _size; i++)
                shift[i] += _weights[k] * (ranked[k][i] - _mean[i]) / _step;
        }

        _covariance.Stretch(shift, -1, fromAxes: false, whitened);
        double length = 0;
        for (var i = 0; i < _size; i++)
        {
            _stepPath[i] = (1 - _stepRate) * _stepPath[i] + Math.Sqrt(_stepRate * (2 - _stepRate) * _selected) * whitened[i];
            length += _stepPath[i] * _stepPath[i];
        }

        length = Math.Sqrt(length);
        var isShort = length / Math.Sqrt(1 - Math.Pow(1 - _stepRate, 2 * _generations)) < (1.4 + 2.0 / (_size + 1)) * _usualLength;
        for (var i = 0; i < _size; i++)
            _path[i] = (1 - _pathRate) * _path[i] + (isShort ? Math.Sqrt(_pathRate * (2 - _pathRate) * _selected) * shift[i] : 0);

        var kept = 1 - _rankOneRate - _rankManyRate + (isShort ? 0 : _rankOneRate * _pathRate * (2 - _pathRate));
        _covariance.Scale(kept);
        _covariance.AddOuter(_path, _rankOneRate);
        for (var k = 0; k < ranked.Length; k++)
        {
            for (var i = 0; i < _size; i++)
                difference[i] = (ranked[k][i] - _mean[i]) / _step;
            _covariance.AddOuter(difference, _rankManyRate * _weights[k]);
        }

        for (var i = 0; i < _size; i++)
            _mean[i] += _step * shift[i];
        _step *= Math.Exp(Math.Min(1, _stepRate / _stepDamping * (length / _usualLength - 1)));
        _covariance.Decompose();
    }
}
