using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Processors;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class LogitsProcessorTests
{
    [Property]
    public Property Top_p_keeps_a_smallest_set_that_reaches_the_sum() =>
        Prop.ForAll(Logits().ToArbitrary(), Share().ToArbitrary(), (logits, sum) =>
    {
        var kept = Kept(logits, new TopPProcessor(sum, logits.Length));
        var probabilities = Probabilities(logits);
        var mass = kept.Sum(i => probabilities[i]);
        Assert.True(mass >= sum - 1e-6, $"{mass} of {sum}");
        Assert.True(mass - kept.Min(i => probabilities[i]) < sum + 1e-6, "one token less would do");
        Assert.True(
            Dropped(kept, logits).All(i => logits[i] <= kept.Min(j => logits[j])), "a dropped token is more probable than a kept one");
    });

    [Property]
    public Property Top_k_keeps_the_k_largest_and_ties_of_the_last() =>
        Prop.ForAll(Logits().ToArbitrary(), Gen.Choose(1, 60).ToArbitrary(), (logits, k) =>
    {
        var threshold = logits.OrderDescending().ElementAt(Math.Min(k, logits.Length) - 1);
        Assert.Equal(
            Indices(logits).Where(i => logits[i] >= threshold && !float.IsNegativeInfinity(logits[i])),
            Kept(logits, new TopKProcessor(k)));
    });

    [Property]
    public Property Min_p_keeps_what_has_the_share_of_the_most_probable() =>
        Prop.ForAll(Logits().ToArbitrary(), Share().ToArbitrary(), (logits, share) =>
    {
        var probabilities = Probabilities(logits);
        var kept = Kept(logits, new MinPProcessor(share));
        Assert.All(kept, i => Assert.True(probabilities[i] >= share * probabilities.Max() * (1 - 1e-5)));
        Assert.All(Dropped(kept, logits), i => Assert.True(probabilities[i] < share * probabilities.Max() * (1 + 1e-5)));
    });

    [Property]
    public Property Typical_p_keeps_the_nearest_to_the_entropy_that_reach_the_mass() =>
        Prop.ForAll(Logits().ToArbitrary(), Share().ToArbitrary(), (logits, mass) =>
    {
        var probabilities = Probabilities(logits);
        var entropy = -probabilities.Where(p => p > 0).Sum(p => p * Math.Log(p));
        var distances = probabilities.Select(p => Math.Abs(-Math.Log(p) - entropy)).ToArray();
        var kept = Kept(logits, new TypicalPProcessor(mass, logits.Length));
        var farthest = kept.Max(i => distances[i]);
        Assert.True(kept.Sum(i => probabilities[i]) >= mass - 1e-6);
        Assert.True(
            kept.Where(i => distances[i] < farthest - 1e-4).Sum(i => probabilities[i]) < mass + 1e-6, "the farthest tokens are not needed");
        Assert.All(Dropped(kept, logits), i => Assert.True(distances[i] >= farthest - 1e-4));
    });

    [Property]
    public Property What_all_filters_leave_is_a_distribution_within_the_vocabulary() =>
        Prop.ForAll(Logits().ToArbitrary(), Share().ToArbitrary(), (logits, share) =>
    {
        var options = new GenerationOptions
        {
            Sample = true, Temperature = 0.1 + share, TopK = 40, TopP = share, MinP = 1 - share, TypicalP = share, RepetitionPenalty = 1.3,
        };
        var processed = logits.ToArray();
        LogitsPipeline.Create(options, logits.Length, []).Apply(processed, [0], 1);
        Assert.Equal(1, Probabilities(processed).Sum(), 1e-9);
        Assert.All(
            Indices(logits).Where(i => float.IsNegativeInfinity(logits[i])), i => Assert.True(float.IsNegativeInfinity(processed[i])));
    });

    [Property]
    public Property Exponentials_equal_their_scalar_twins() => Prop.ForAll(Logits().ToArbitrary(), logits =>
    {
        var exponentials = new float[logits.Length];
        Assert.Equal(logits.Max(), Softmax.Maximum(logits));
        var sum = Softmax.Exponentials(logits, logits.Max(), exponentials);
        for (var i = 0; i < logits.Length; i++)
            Assert.Equal(Math.Exp(logits[i] - logits.Max()), exponentials[i], 1e-6);
        Assert.Equal(exponentials.Sum(x => (double)x), sum, 1e-9 * sum);
    });

    [Property]
    public Property Largest_values_are_the_first_of_a_stable_sort() =>
        Prop.ForAll(Logits().ToArbitrary(), Gen.Choose(1, 60).ToArbitrary(), (values, count) =>
    {
        var largest = new LargestValues(count);
        largest.Add(values.AsSpan(0, values.Length / 2), 0);
        largest.Add(values.AsSpan(values.Length / 2), values.Length / 2);
        var expected = Indices(values).OrderByDescending(i => values[i] + 0f).Take(count).ToArray();
        Assert.Equal(expected, largest.Result().ToArray().Select(LargestValues.IndexOf));
        Assert.Equal(expected.Select(i => values[i]), largest.Result().ToArray().Select(SortableKey.Value));
    });

    [Fact]
    public void Top_p_keeps_only_the_token_that_reaches_the_sum_exactly() =>
        Assert.Equal([1], Kept([MathF.Log(0.25f), MathF.Log(0.5f), MathF.Log(0.25f)], new TopPProcessor(0.5, 3)));

    [Theory]
    [InlineData(0)]
    [InlineData(1e-9)]
    public void Top_p_keeps_one_token_at_least(double sum) =>
        Assert.Single(Kept([0, 0, 0, 0], new TopPProcessor(sum, 4)));

    [Fact]
    public void A_repeated_token_is_penalized_once_however_often_it_occurred()
    {
        float[] logits = [2, -2, 2, -2];
        new RepetitionPenaltyProcessor(2, 4).Apply(logits, [0, 1, 0, 1, 1], 2);
        Assert.Equal([1, -4, 2, -2], logits);
    }

    [Theory]
    [InlineData(1, new[] { 3, 1 }, new[] { 1, 3 })]
    [InlineData(2, new[] { 3, 1, 2, 3, 0, 3 }, new[] { 0, 1 })]
    [InlineData(3, new[] { 3, 1, 2, 3, 1 }, new[] { 2 })]
    [InlineData(3, new[] { 3, 1 }, new int[0])]
    [InlineData(3, new[] { 1, 1, 1 }, new[] { 1 })]
    public void The_ends_of_ngrams_that_occurred_are_forbidden(int size, int[] tokens, int[] forbidden)
    {
        var logits = new float[5];
        new NoRepeatNgramProcessor(size).Apply(logits, tokens, 1);
        Assert.Equal(forbidden, Indices(logits).Where(i => float.IsNegativeInfinity(logits[i])));
    }

    [Fact]
    public void A_row_without_a_finite_logit_is_refused()
    {
        var nothing = Assert.Throws<InvalidOperationException>(
            () => new TokenChooser(20).Largest(Enumerable.Repeat(float.NegativeInfinity, 20).ToArray()));
        Assert.Contains("No token is left", nothing.Message, StringComparison.Ordinal);
        for (var place = 0; place < 20; place++)
        {
            var logits = new float[20];
            logits[place] = float.NaN;
            var damaged = Assert.Throws<InvalidOperationException>(() => new TokenChooser(20).Largest(logits));
            Assert.Contains("not finite numbers", damaged.Message, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<int> Indices(float[] logits) => Enumerable.Range(0, logits.Length);

    private static int[] Kept(float[] logits, LogitsProcessor processor)
    {
        var processed = logits.ToArray();
        processor.Apply(processed, [], 0);
        Assert.All(Indices(logits), i => Assert.True(processed[i] == logits[i] || float.IsNegativeInfinity(processed[i])));
        return [.. Indices(logits).Where(i => !float.IsNegativeInfinity(processed[i]))];
    }

    private static IEnumerable<int> Dropped(int[] kept, float[] logits) => Indices(logits).Except(kept);

    private static double[] Probabilities(float[] logits)
    {
        var maximum = logits.Max();
        var sum = logits.Sum(logit => Math.Exp(logit - maximum));
        return [.. logits.Select(logit => Math.Exp(logit - maximum) / sum)];
    }

    private static Gen<double> Share() => Gen.Choose(1, 999).Select(share => share / 1000.0);

    /// <summary>Logits with ties, and some that are forbidden already; the last is not.</summary>
    private static Gen<float[]> Logits() =>
        from length in Gen.Choose(1, 300)
        from logits in Gen.Frequency(
            (3, Gen.Choose(-60, 60).Select(tenths => tenths / 10f)),
            (3, Gen.Choose(-1_000_000, 1_000_000).Select(millionths => millionths / 100_000f)),
            (1, Gen.Constant(float.NegativeInfinity))).ArrayOf(length)
        from last in Gen.Choose(-20, 20)
        select (float[])[.. logits, last];
}
