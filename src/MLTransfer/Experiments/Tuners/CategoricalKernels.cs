using MLTransfer.Torch.Numerics;

namespace MLTransfer.Experiments.Tuners;

/// <summary>Kernels over choices: most of a kernel is at the choice that was observed, and a part of the prior everywhere.</summary>
internal sealed class CategoricalKernels : KernelColumn
{
    private readonly int[] _observed; // of each kernel; -1 of the prior's
    private readonly int _choices;
    private readonly double _atObserved, _elsewhere;

    /// <param name="observations">Numbers of choices.</param>
    /// <param name="choices">How many there are.</param>
    /// <param name="settings">Has the weight of the prior.</param>
    public CategoricalKernels(ReadOnlySpan<double> observations, int choices, ParzenSettings settings)
    {
        _observed = new int[observations.Length + 1];
        for (var k = 0; k < observations.Length; k++)
            _observed[k] = (int)observations[k];
        _observed[^1] = -1;
        _choices = choices;
        var part = settings.PriorWeight / (observations.Length + 1);
        var total = part * choices + 1;
        (_atObserved, _elsewhere) = ((part + 1) / total, part / total);
    }

    public double Probability(int kernel, int choice) =>
        _observed[kernel] < 0 ? 1.0 / _choices : _observed[kernel] == choice ? _atObserved : _elsewhere;

    public override void AddLogDensities(double value, Span<double> logarithms)
    {
        var (here, there, prior) = (Math.Log(_atObserved), Math.Log(_elsewhere), -Math.Log(_choices));
        for (var k = 0; k < logarithms.Length; k++)
            logarithms[k] += _observed[k] < 0 ? prior : _observed[k] == (int)value ? here : there;
    }

    public override double Draw(int kernel, ref SplitMix64 draws)
    {
        var left = draws.NextDouble();
        for (var choice = 0; choice < _choices - 1; choice++)
        {
            left -= Probability(kernel, choice);
            if (left < 0)
                return choice;
        }

        return _choices - 1;
    }
}
