using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Tuners;

/// <summary>
/// A density over several dimensions together: a sum of kernels, one for each observation and the prior's, of which each is a product over
/// the dimensions (Falkner et al. 2018, "BOHB").
/// </summary>
internal sealed class ParzenEstimator
{
    private readonly KernelColumn[] _columns;
    private readonly double[] _logWeights;
    private readonly double[] _logarithms;

    /// <param name="domains">The dimensions.</param>
    /// <param name="observations">Those of each dimension, the oldest first.</param>
    /// <param name="settings">How kernels are made.</param>
    public ParzenEstimator(IReadOnlyList<Domain> domains, double[][] observations, ParzenSettings settings)
    {
        _columns = new KernelColumn[domains.Count];
        for (var i = 0; i < _columns.Length; i++)
        {
            _columns[i] = domains[i].IsCategorical
                ? new CategoricalKernels(observations[i], domains[i].Choices, settings)
                : new NumericKernels(observations[i], domains[i], settings);
        }

        Weights = WeightsOf(observations[0].Length, settings.PriorWeight);
        _logWeights = new double[Weights.Length];
        for (var k = 0; k < Weights.Length; k++)
            _logWeights[k] = Math.Log(Weights[k]);
        _logarithms = new double[Weights.Length];
    }

    /// <summary>Of each kernel, the prior's last; their sum is 1.</summary>
    public double[] Weights { get; }

    public IReadOnlyList<KernelColumn> Columns => _columns;

    /// <summary>Draws a kernel by its weight, and each dimension from it.</summary>
    public void Draw(ref SplitMix64 draws, Span<double> values)
    {
        var left = draws.NextDouble();
        var kernel = 0;
        while (kernel < Weights.Length - 1 && (left -= Weights[kernel]) >= 0)
            kernel++;
        for (var i = 0; i < _columns.Length; i++)
            values[i] = _columns[i].Draw(kernel, ref draws);
    }

    public double LogDensity(ReadOnlySpan<double> values)
    {
        _logWeights.CopyTo(_logarithms, 0);
        for (var i = 0; i < _columns.Length; i++)
            _columns[i].AddLogDensities(values[i], _logarithms);
        var largest = double.NegativeInfinity;
        foreach (var logarithm in _logarithms)
            largest = Math.Max(largest, logarithm);
        double sum = 0;
        foreach (var logarithm in _logarithms)
            sum += Math.Exp(logarithm - largest);
        return largest + Math.Log(sum);
    }

    /// <summary>The 25 newest observations count fully, older ones the less the older they are.</summary>
    private static double[] WeightsOf(int count, double priorWeight)
    {
        var weights = new double[count + 1];
        var older = Math.Max(0, count - 25);
        double sum = weights[count] = count == 0 ? 1 : priorWeight;
        for (var k = 0; k < count; k++)
        {
            weights[k] = k >= older ? 1 : older == 1 ? 1.0 / count : 1.0 / count + (1 - 1.0 / count) * k / (older - 1);
            sum += weights[k];
        }

        for (var k = 0; k <= count; k++)
            weights[k] /= sum;
        return weights;
    }
}
