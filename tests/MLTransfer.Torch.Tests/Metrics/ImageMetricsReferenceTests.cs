using System.Text.Json;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Memory;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Metrics;

/// <summary>What the reference computes in double of the same features.</summary>
public sealed class ImageMetricsReferenceTests : IDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly SafetensorsFile _features = SafetensorsFile.Open(RepositoryFiles.Data("images/image-metrics/features.safetensors"));
    private readonly JsonElement _metrics =
        JsonElement.Parse(File.ReadAllText(RepositoryFiles.Data("images/image-metrics/metrics.json")));
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _real;
    private readonly Tensor _fake;

    public ImageMetricsReferenceTests() => (_real, _fake) = (_features.Read("real"), _features.Read("fake"));

    public void Dispose()
    {
        _scope.Dispose();
        _features.Dispose();
    }

    [Fact]
    public void Frechet_distances_are_those_of_the_reference()
    {
        AssertClose("frechet", FeatureDistances.FrechetDistance(_real, _fake), 1e-8);
        AssertClose("frechet_of_real_with_itself", FeatureDistances.FrechetDistance(_real, _real), 1e-8);
        AssertClose("frechet_of_halves_of_real", FeatureDistances.FrechetDistance(_real.narrow(0, 0, 60), _real.narrow(0, 60, 60)), 1e-8);
        AssertClose("frechet_few_rows", FeatureDistances.FrechetDistance(_features.Read("few_real"), _features.Read("few_fake")), 1e-5);

        void AssertClose(string name, double found, double tolerance) =>
            Assert.Equal(_metrics.GetProperty(name).GetProperty("value").GetDouble(), found, tolerance);
    }

    [Fact]
    public void Kernel_distances_of_all_rows_and_of_subsets_are_those_of_the_reference()
    {
        var expected = _metrics.GetProperty("kernel");
        var (first, second) = (_features.Read("kernel_rows_real"), _features.Read("kernel_rows_fake"));
        var subsets = Enumerable.Range(0, 5).Select(i => (Rows(first[i]), Rows(second[i]))).ToList();

        var found = FeatureDistances.KernelDistanceOfSubsets(_real, _fake, subsets);

        Assert.Equal(expected.GetProperty("all_rows").GetDouble(), FeatureDistances.KernelDistance(_real, _fake), 1e-10);
        Assert.Equal(expected.GetProperty("mean").GetDouble(), found.Mean, 1e-10);
        Assert.Equal(expected.GetProperty("std").GetDouble(), found.Deviation, 1e-10);

        static int[] Rows(Tensor rows) => [.. rows.data<long>().Select(row => (int)row)];
    }

    [Fact]
    public void Subsets_come_from_the_seed_and_their_mean_is_near_the_distance_of_all_rows()
    {
        var found = FeatureDistances.KernelDistanceOfSubsets(_real, _fake, subsetSize: 60, subsetCount: 200, seed: 3);

        Assert.Equal(found, FeatureDistances.KernelDistanceOfSubsets(_real, _fake, 60, 200, 3));
        Assert.NotEqual(found, FeatureDistances.KernelDistanceOfSubsets(_real, _fake, 60, 200, 4));
        Assert.Equal(FeatureDistances.KernelDistance(_real, _fake), found.Mean, 4 * found.Deviation / Math.Sqrt(200));
        Assert.Throws<ArgumentOutOfRangeException>(() => FeatureDistances.KernelDistanceOfSubsets(_real, _fake, 101, 1));
    }

    [Fact]
    public void Precision_recall_density_and_coverage_are_those_of_the_reference()
    {
        foreach (var expected in _metrics.GetProperty("manifold").EnumerateArray())
        {
            var found = FeatureManifolds.Compare(_real, _fake, expected.GetProperty("k").GetInt32(), Stop);

            Assert.Equal(expected.GetProperty("precision").GetDouble(), found.Precision, 12);
            Assert.Equal(expected.GetProperty("recall").GetDouble(), found.Recall, 12);
            Assert.Equal(expected.GetProperty("density").GetDouble(), found.Density, 12);
            Assert.Equal(expected.GetProperty("coverage").GetDouble(), found.Coverage, 12);
        }
    }

    [Fact]
    public void Copies_of_real_rows_lie_on_the_borders_of_their_balls_and_count_as_inside()
    {
        // Of rows at 0, 1 and 3 the balls reach 1, 1 and 2 far. A copy of each row lies in its own ball, and 0 and 1 lie on each other's
        // borders, as 1 does on that of 3.
        var rows = tensor(new float[] { 0, 1, 3 }, [3, 1]);

        var found = FeatureManifolds.Compare(rows, rows, neighbors: 1, cancellationToken: Stop);

        Assert.Equal(new ManifoldOverlap(1, 1, 1, 6 / 3.0, 1), found);
    }

    [Fact]
    public void Too_few_rows_for_the_neighbours_are_refused_with_their_numbers()
    {
        var message = Assert.Throws<ArgumentException>(() => FeatureManifolds.Compare(_real, _fake.narrow(0, 0, 5), 5, Stop)).Message;

        Assert.Contains("120 real and 5 generated rows; 5 neighbours", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_of_texts_and_images_are_those_of_the_reference()
    {
        var (texts, images) = (_features.Read("text_embeddings"), _features.Read("image_embeddings"));
        var expected = _metrics.GetProperty("text_image_score");

        var found = Enumerable.Range(0, 6).Select(row => TextImageScore.Of(Row(texts, row), Row(images, row))).ToList();

        AssertAll("cosine", score => score.Cosine);
        AssertAll("score_100", score => score.Score);
        AssertAll("score_w_2_5", score => score.WeightedScore);
        Assert.Equal(expected.GetProperty("mean_score_100").GetDouble(), found.Average(score => score.Score), 1e-8);
        Assert.Throws<ArgumentException>(() => TextImageScore.Of(new float[4], new float[4]));

        static float[] Row(Tensor rows, int row) => NativeTensor.AsSpan<float>(rows[row].contiguous()).ToArray();

        void AssertAll(string name, Func<TextImageScore, double> value) => Assert.All(
            expected.GetProperty(name).EnumerateArray().Zip(found),
            pair => Assert.Equal(pair.First.GetDouble(), value(pair.Second), 1e-8));
    }
}
