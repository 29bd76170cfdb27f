using MLTransfer.Torch.Metrics;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Metrics;

public sealed class MemorizationTests
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 2)]
    [InlineData(3, 5)]
    [InlineData(4, 1)]
    public void Copied_tokens_are_those_that_a_search_at_every_place_finds(int seed, int n)
    {
        var random = new Random(seed);
        int[][] training = [.. Enumerable.Range(0, 12).Select(_ => Sequence(random.Next(0, 30)))];
        int[][] generated = [.. Enumerable.Range(0, 15).Select(_ => Sequence(random.Next(0, 25)))];

        var found = CopiedTokens.Find(training, generated, n, TestContext.Current.CancellationToken);

        var expected = generated
            .Select(text => Enumerable.Range(0, Math.Max(0, text.Length - n + 1)).Select(start => Longest(text, start)).ToList()).ToList();
        Assert.Equal(expected.Sum(text => text.Count), found.NgramCount);
        Assert.Equal(expected.Sum(text => text.Count(length => length >= n)), found.CopiedNgramCount);
        Assert.Equal(
            expected.SelectMany(text => text).Where(length => length >= n).DefaultIfEmpty().Max(),
            found.Spans.Select(span => span.Length).DefaultIfEmpty().Max());
        Assert.All(found.Spans, span => Assert.Equal(
            generated[span.Generated].Skip(span.Start).Take(span.Length), training[span.Training].Skip(span.Position).Take(span.Length)));

        int[] Sequence(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(4))];

        int Longest(int[] text, int start) => training.SelectMany(row => Enumerable.Range(0, row.Length).Select(
            position => row.AsSpan(position).CommonPrefixLength(text.AsSpan(start)))).DefaultIfEmpty().Max();
    }

    [Fact]
    public void A_copy_does_not_go_over_the_border_between_two_rows()
    {
        var found = CopiedTokens.Find([[1, 2, 3], [4, 5, 6]], [[1, 2, 3, 4, 5, 6]], 3, TestContext.Current.CancellationToken);
        Assert.Equal([new CopiedTokenSpan(0, 0, 3, 0, 0), new CopiedTokenSpan(0, 3, 3, 1, 0)], found.Spans);
        Assert.Equal((4, 2), (found.NgramCount, found.CopiedNgramCount));
    }

    [Fact]
    public void Half_a_million_tokens_of_repeated_rows_are_indexed_in_seconds()
    {
        var random = new Random(1);
        int[] row = [.. Enumerable.Range(0, 1_000).Select(_ => random.Next(50_000))];
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var found = CopiedTokens.Find(
            [.. Enumerable.Repeat(row, 500)], [row[300..900]], 50, TestContext.Current.CancellationToken);
        Assert.Equal(600, Assert.Single(found.Spans).Length);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
    }

    [Fact]
    public void Distances_are_those_between_all_pairs()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var (made, real) = (randn([7, 3], generator: generator), randn([300, 3], generator: generator)); // more than are taken at once
        var found = NearestImages.Find(
            made, real, [.. Enumerable.Range(0, 7).Select(seed => (long)seed)], TestContext.Current.CancellationToken);
        Assert.All(found.Images, image =>
        {
            var distances = (real - made[image.Seed]).square().sum(1).sqrt();
            Assert.Equal(distances.argmin().item<long>(), image.Row);
            Assert.Equal(distances.min().item<float>(), image.Distance, 1e-5);
        });
        var pairs = cdist(real, real);
        pairs.diagonal().fill_(float.PositiveInfinity);
        var own = pairs.min(1).values;
        Assert.Equal(
            own.data<float>().ToArray(), found.TrainingDistances.Select(distance => (float)distance), (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.InRange(found.CloseShare, 0, 0.6); // of one distribution

        var copies = NearestImages.Find(real.narrow(0, 0, 7), real, [0, 1, 2, 3, 4, 5, 6], TestContext.Current.CancellationToken);
        Assert.Equal(1, copies.CloseShare);
        Assert.Equal(0, copies.MedianDistance);
    }
}
