using MLTransfer.Torch.Training.LatentProjection;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.LatentProjection;

public sealed class LatentDirectionTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly float[] _truth = [0.6f, 0, -0.8f, 0, 0, 0];

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(200)]
    [InlineData(5)] // fewer rows than columns
    public void A_number_that_grows_along_a_line_gives_the_line(int rows)
    {
        var latents = Latents(rows);
        var labels = Products(latents).Select(product => 3 * product + 2).ToList();

        var found = LatentDirection.OfNumbers(latents, labels, regularization: 1e-6);

        Assert.Equal(1, found.Vector.Sum(value => (double)value * value), 1e-5);
        Assert.InRange(found.Score, 0.9999, 1);
        for (var row = 0; row < rows; row++)
            Assert.Equal(labels[row], found.Predict(Row(latents, row)), 1e-3);
        if (rows > 6)
        {
            Assert.All(_truth.Zip(found.Vector), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
            Assert.Equal(3, found.Slope, 1e-4);
            Assert.Equal(2, found.Bias, 1e-4);
        }
    }

    [Fact]
    public void Regularization_holds_weights_back_by_the_formula()
    {
        // One column of deviation s: the weight is sum(x y) / (sum x^2 + regularization sum x^2).
        var latents = tensor(new float[] { -1, 0, 1, 2, -2 }, [5, 1]);

        var found = LatentDirection.OfNumbers(latents, [-1, 0, 1, 2, -2], regularization: 0.25);

        Assert.Equal(1 / 1.25, found.Slope * found.Vector[0], 1e-6);
    }

    [Fact]
    public void Two_classes_on_both_sides_of_a_plane_give_its_normal()
    {
        var latents = Latents(400);
        var labels = Products(latents).Select(product => product > 0.3).ToList();

        var found = LatentDirection.OfClasses(latents, labels, regularization: 1e-3);

        Assert.InRange(found.Vector.Zip(_truth).Sum(pair => pair.First * pair.Second), 0.99, 1.0001);
        Assert.InRange(found.Score, 0.97, 1);
        Assert.True(found.IsLogistic);
        // The border lies where the probability is a half.
        Assert.InRange(found.Predict([.. _truth.Select(value => value * 0.3f)]), 0.3, 0.7);
        Assert.InRange(found.Predict([.. _truth.Select(value => value * 2)]), 0.95, 1);
        Assert.InRange(found.Predict([.. _truth.Select(value => value * -1.5f)]), 0, 0.05);
    }

    [Fact]
    public void The_logistic_weights_are_where_the_loss_has_no_slope()
    {
        var latents = Latents(60);
        var random = new Random(2);
        var labels = Products(latents).Select(product => random.NextDouble() < 1 / (1 + Math.Exp(-2 * product))).ToList();

        var found = LatentDirection.OfClasses(latents, labels, regularization: 0.05);

        // sum over rows of (p - y) x + ridge w = 0 for centred x, and sum (p - y) = 0.
        var centre = latents.mean([0]);
        var centered = latents - centre;
        var ridge = 0.05 * centered.square().sum().item<float>() / 6;
        var errors = Enumerable.Range(0, 60).Select(row => found.Predict(Row(latents, row)) - (labels[row] ? 1 : 0)).ToList();
        Assert.Equal(0, errors.Sum(), 1e-3);
        for (var column = 0; column < 6; column++)
        {
            var slope = errors.Index().Sum(error => error.Item * centered[error.Index, column].item<float>());
            Assert.Equal(0, slope + ridge * found.Slope * found.Vector[column], 2e-3);
        }
    }

    [Fact]
    public void Labels_and_vectors_from_which_nothing_can_be_learned_are_refused()
    {
        var latents = Latents(4);

        Assert.Contains("All labels are 1", Assert.Throws<ArgumentException>(
            () => LatentDirection.OfNumbers(latents, [1, 1, 1, 1])).Message);
        Assert.Contains("3 labels", Assert.Throws<ArgumentException>(() => LatentDirection.OfNumbers(latents, [1, 2, 3])).Message);
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => LatentDirection.OfNumbers(latents / 0, [1, 2, 3, 4])).Message);
        Assert.Throws<ArgumentException>(() => LatentDirection.OfNumbers(zeros(4, 6), [1, 2, 3, 4]));
        Assert.Contains("5 values", Assert.Throws<ArgumentException>(
            () => LatentDirection.OfNumbers(latents, [1, 2, 3, 4]).Predict(new float[5])).Message);
    }

    private static Tensor Latents(int rows)
    {
        var random = new Random(1);
        return tensor(Enumerable.Range(0, rows * 6).Select(_ => (float)(random.NextDouble() * 4 - 2)).ToArray(), [rows, 6]);
    }

    private static float[] Row(Tensor rows, int row) => [.. rows[row].data<float>()];

    private List<float> Products(Tensor latents) =>
        [.. Enumerable.Range(0, (int)latents.shape[0]).Select(row => Row(latents, row).Zip(_truth).Sum(pair => pair.First * pair.Second))];
}
