using System.Diagnostics;
using MLTransfer.Benchmarks.Workloads;

namespace MLTransfer.Benchmarks.Report;

/// <summary>Measures greedy decoding of one and several sequences, all variants in turn.</summary>
internal static class DecodingSection
{
    private const int WarmUpTokens = 4;

    private static readonly int[] BatchSizes = [1, ReportPlan.DecodingBatch];

    public static IReadOnlyList<DecodingMeasurement> Measure(BenchmarkedModel model, ReportPlan plan)
    {
        Log.Say($"decoding {model.Name}");
        DecodingVariant[] variants =
        [
            new LibraryDecoding(model, DecodingWeights.Float32),
            new LibraryDecoding(model, DecodingWeights.BFloat16),
            new LibraryDecoding(model, DecodingWeights.Int8),
            new LibraryDecoding(model, DecodingWeights.Int4),
            new PlainDecoding(model, DecodingWeights.Float32),
            new PlainDecoding(model, DecodingWeights.BFloat16),
        ];
        try
        {
            var runs = BatchSizes.SelectMany(batch => variants.Select(variant => (Variant: variant, Batch: batch))).ToArray();
            var speeds = runs.ToDictionary(run => run, _ => new List<double>());
            var newTokens = Math.Min(plan.NewTokens, model.Size.ContextLength - ReportPlan.PromptLength);
            foreach (var (variant, batch) in runs)
                variant.Decode(model.RandomTokens(batch, ReportPlan.PromptLength), WarmUpTokens);
            for (var round = 0; round < plan.Rounds; round++)
            {
                foreach (var run in runs)
                {
                    var prompts = model.RandomTokens(run.Batch, ReportPlan.PromptLength);
                    var start = Stopwatch.GetTimestamp();
                    var tokens = run.Variant.Decode(prompts, newTokens);
                    speeds[run].Add(tokens.Sum(row => row.Length) / Stopwatch.GetElapsedTime(start).TotalSeconds);
                    Log.Say(
                        $"decoding {model.Name}, round {round + 1}, {run.Variant.Name}, batch {run.Batch}: {speeds[run][^1]:F1} tokens/s");
                }
            }

            return
            [
                .. runs.Select(run => new DecodingMeasurement(
                    model, run.Variant.Name, run.Variant is PlainDecoding, run.Variant.Weights, run.Batch, Spread.Of(speeds[run]))),
            ];
        }
        finally
        {
            foreach (var variant in variants)
                variant.Dispose();
        }
    }
}
