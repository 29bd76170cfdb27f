using MLTransfer.Experiments.Spaces;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Tuners;

/// <summary>
/// Normal kernels over a range, truncated to it, as wide as their neighbours are far (Bergstra et al. 2011). All is in the scale of the
/// domain: with a logarithmic range a density is that of the logarithm.
/// </summary>
internal sealed class NumericKernels : KernelColumn
{
    private readonly Domain _domain;
    private readonly double[] _logNormalizers;

    public NumericKernels(ReadOnlySpan<double> observations, Domain domain, ParzenSettings settings)
    {
        _domain = domain;
        var (low, high, count) = (domain.KernelLow, domain.KernelHigh, observations.Length);
        Centres = new double[count + 1];
        for (var k = 0; k < count; k++)
            Centres[k] = domain.Scaled(observations[k]);
        Centres[count] = (low + high) / 2;
        Bandwidths = new double[count + 1];
        Bandwidths[count] = high - low;
        SetBandwidths(settings);
        var narrowest = settings.ClipsNarrow ? (high - low) / Math.Min(100, count + 2) : 1e-12;
        _logNormalizers = new double[count + 1];
        for (var k = 0; k <= count; k++)
        {
            if (k < count)
                Bandwidths[k] = Math.Clamp(Bandwidths[k], narrowest, high - low);
            var inside = NormalDistribution.Between((low - Centres[k]) / Bandwidths[k], (high - Centres[k]) / Bandwidths[k]);
            _logNormalizers[k] = Math.Log(inside) + (domain.Step > 0 ? 0 : Math.Log(Bandwidths[k] * Math.Sqrt(2 * Math.PI)));
        }
    }

    public double[] Centres { get; }

    public double[] Bandwidths { get; }

    public override void AddLogDensities(double value, Span<double> logarithms)
    {
        if (_domain.Step > 0)
        {
            var (below, above) = (_domain.Scaled(value - _domain.Step / 2), _domain.Scaled(value + _domain.Step / 2));
            for (var k = 0; k < logarithms.Length; k++)
            {
                var mass = NormalDistribution.Between(
                    (below - Centres[k]) / Bandwidths[k], (above - Centres[k]) / Bandwidths[k]);
                logarithms[k] += Math.Log(mass) - _logNormalizers[k];
            }

            return;
        }

        var scaled = _domain.Scaled(value);
        for (var k = 0; k < logarithms.Length; k++)
        {
            var distance = (scaled - Centres[k]) / Bandwidths[k];
            logarithms[k] -= distance * distance / 2 + _logNormalizers[k];
        }
    }

    public override double Draw(int kernel, ref SplitMix64 draws) => _domain.FromScaled(Quantile(kernel, draws.NextDouble()));

    /// <summary>The scaled number that a share of a kernel is below.</summary>
    public double Quantile(int kernel, double share)
    {
        var (centre, width) = (Centres[kernel], Bandwidths[kernel]);
        var (low, high) = (_domain.KernelLow, _domain.KernelHigh);
        var below = NormalDistribution.Upper((centre - low) / width);
        var above = NormalDistribution.Upper((high - centre) / width);
        var inside = 1 - below - above;
        var standard = NormalDistribution.Quantile(below + share * inside, above + (1 - share) * inside);
        return Math.Clamp(centre + width * standard, low, high);
    }

    private void SetBandwidths(ParzenSettings settings)
    {
        var count = Centres.Length - 1; // the prior is nobody's neighbour
        if (count == 0)
            return;
        var sorted = Centres.AsSpan(0, count).ToArray();
        var places = new int[count];
        for (var k = 0; k < count; k++)
            places[k] = k;
        Array.Sort(sorted, places);
        for (var i = 0; i < count; i++)
        {
            var left = sorted[i] - (i == 0 ? _domain.KernelLow : sorted[i - 1]);
            var right = (i == count - 1 ? _domain.KernelHigh : sorted[i + 1]) - sorted[i];
            var countsEnds = settings.CountsEnds || count == 1;
            Bandwidths[places[i]] = i == 0 && !countsEnds ? right : i == count - 1 && !countsEnds ? left : Math.Max(left, right);
        }
    }
}
