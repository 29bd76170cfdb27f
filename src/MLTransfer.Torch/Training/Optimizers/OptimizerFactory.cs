namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>Makes the optimizer that a run's options say.</summary>
internal static class OptimizerFactory
{
    /// <param name="options">Of the run.</param>
    /// <param name="parameters">What is trained.</param>
    /// <param name="rateFactor">See <see cref="Optimizer.RateFactor"/>.</param>
    /// <exception cref="ArgumentException">The algorithm is not for such parameters.</exception>
    public static Optimizer Create(
        EpochTrainingOptions options, IEnumerable<TrainedParameter> parameters, Func<string, double>? rateFactor = null)
    {
        var (all, adam, decay) = (parameters.ToList(), options.Adam, options.Decay);
        switch (options.Optimizer)
        {
            case OptimizerAlgorithm.StochasticGradientDescent:
                return new StochasticGradientDescent(all, options.Gradients) { WeightDecay = decay, RateFactor = rateFactor };
            case OptimizerAlgorithm.Adafactor:
                return new Adafactor(all, Details<AdafactorOptions>(options)) { WeightDecay = decay, RateFactor = rateFactor };
            case OptimizerAlgorithm.Lion:
                return new Lion(all, Details<LionOptions>(options)) { WeightDecay = decay, RateFactor = rateFactor };
            case OptimizerAlgorithm.ScheduleFreeAdamW:
                return new ScheduleFreeAdamW(all, adam, Details<ScheduleFreeOptions>(options))
                {
                    WeightDecay = decay, RateFactor = rateFactor,
                };
            case OptimizerAlgorithm.Muon:
                if (!all.Any(p => p.IsHidden))
                {
                    throw new ArgumentException(
                        $"{nameof(options.Optimizer)} is {options.Optimizer}, which trains matrices inside a network; none of what is "
                        + $"trained here is one. Choose {OptimizerAlgorithm.AdamW}.", nameof(options));
                }

                return new Muon(all, adam, Details<MuonOptions>(options), options.LearningRate, decay, rateFactor);
            default:
                return new AdamW(all.Select(p => (p.Name, p.Parameter, p.Decays)), adam.Beta1, adam.Beta2, adam.Epsilon)
                {
                    WeightDecay = decay, RateFactor = rateFactor,
                };
        }
    }

    /// <summary>The float32 numbers that an optimizer keeps for those that are trained.</summary>
    /// <param name="options">Of the run.</param>
    /// <param name="trained">How many are trained.</param>
    /// <param name="hidden">Those of them in matrices inside the network.</param>
    public static long StateNumbers(EpochTrainingOptions options, long trained, long hidden) => options.Optimizer switch
    {
        OptimizerAlgorithm.StochasticGradientDescent => options.Gradients.Momentum > 0 ? trained : 0,
        OptimizerAlgorithm.Lion => trained,
        OptimizerAlgorithm.Muon => 2 * trained - hidden,
        // Of a matrix a row and a column; the rest is small.
        OptimizerAlgorithm.Adafactor => Details<AdafactorOptions>(options).Beta1 is null ? 0 : trained,
        _ => 2 * trained,
    };

    /// <summary>The float32 numbers that an optimizer keeps for parameters.</summary>
    public static long StateNumbers(EpochTrainingOptions options, IEnumerable<TrainedParameter> parameters)
    {
        var all = parameters.ToList();
        return StateNumbers(
            options, all.Sum(p => p.Parameter.numel()), all.Where(p => p.IsHidden).Sum(p => p.Parameter.numel()));
    }

    private static T Details<T>(EpochTrainingOptions options)
        where T : OptimizerOptions, new() => (T?)options.OptimizerOptions ?? new T();
}
