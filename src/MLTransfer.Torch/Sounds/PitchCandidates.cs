using static System.Math;

namespace MLTransfer.Torch.Sounds;

/// <summary>The periods that a frame may have, with probabilities: a threshold is not given but has a distribution.</summary>
internal sealed class PitchCandidates
{
    private const int Thresholds = 100;

    /// <summary>Of the Boltzmann distribution over troughs: the shorter a period, the likelier.</summary>
    private const double Decay = 2;

    /// <summary>How much of the thresholds that no trough is below goes to the lowest trough.</summary>
    private const double NoTroughProbability = 0.01;

    /// <summary>How likely threshold (i + 1) / 100 is, by the beta distribution with parameters 2 and 18.</summary>
    private readonly double[] _thresholdProbabilities =
        [.. Enumerable.Range(0, Thresholds).Select(i => Beta((i + 1.0) / Thresholds) - Beta((double)i / Thresholds))];

    /// <summary>Troughs of a frame's values, each as its place, refined, and its probability.</summary>
    public IEnumerable<(double Period, double Probability)> Of(double[] values)
    {
        var troughs = Enumerable.Range(0, values.Length).Where(i => PeriodDifferences.IsTrough(values, i)).ToArray();
        if (troughs.Length == 0)
            return [];
        var lowest = troughs.MinBy(trough => values[trough]);
        var probabilities = new double[values.Length];
        for (var i = 0; i < Thresholds; i++)
        {
            var threshold = (i + 1.0) / Thresholds;
            var below = troughs.Where(trough => values[trough] < threshold).ToArray();
            for (var position = 0; position < below.Length; position++)
                probabilities[below[position]] += Boltzmann(position, below.Length) * _thresholdProbabilities[i];
            if (below.Length == 0)
                probabilities[lowest] += NoTroughProbability * _thresholdProbabilities[i];
        }

        return troughs.Where(trough => probabilities[trough] > 0)
            .Select(trough => (trough + PeriodDifferences.BottomShift(values, trough), probabilities[trough]));
    }

    private static double Boltzmann(int position, int count) =>
        (1 - Exp(-Decay)) * Exp(-Decay * position) / (1 - Exp(-Decay * count));

    /// <summary>The cumulative beta distribution with parameters 2 and 18.</summary>
    private static double Beta(double x) => 1 - Pow(1 - x, 18) * (1 + 18 * x);
}
