using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Measures training steps of all variants in turn.</summary>
internal static class TrainingSection
{
    private const double LossTolerance = 0.01;

    /// <exception cref="InvalidOperationException">The variants do not compute the same.</exception>
    public static IReadOnlyList<TrainingMeasurement> Measure(BenchmarkedModel model, TrainingShape shape, ReportPlan plan)
    {
        var variants = TrainingVariant.All;
        var seconds = variants.ToDictionary(variant => variant, _ => new List<double>());
        var firstLosses = new Dictionary<TrainingVariant, double>();
        var steps = plan.MeasuredSteps(model, shape);
        for (var round = 0; round < plan.Rounds; round++)
        {
            foreach (var variant in variants)
            {
                var clock = new StepClock();
                variant.Train(model, shape, 1 + steps, loss =>
                {
                    firstLosses.TryAdd(variant, loss);
                    clock.StepDone();
                });
                seconds[variant].AddRange(clock.Seconds);
                Log.Say($"training {model.Name}, round {round + 1}, {variant.Name}: {Spread.Of(clock.Seconds).Median:F2} s a step");
            }
        }

        foreach (var (variant, loss) in firstLosses)
        {
            var expected = firstLosses[TrainingVariant.Float32];
            if (Math.Abs(loss - expected) > LossTolerance * expected)
            {
                throw new InvalidOperationException(
                    $"{variant.Name} starts with a loss of {loss}, float32 with {expected}: they do not train the same model. "
                    + "Is it a GPT-2, Llama or Qwen3 without unusual settings?");
            }
        }

        return
        [
            .. variants.Select(variant =>
                new TrainingMeasurement(model, variant, shape, Spread.Of(seconds[variant]), firstLosses[variant])),
        ];
    }
}
