using System.Numerics;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training.Audio;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Audio;

/// <summary>The losses of a codec, against formulas in float64.</summary>
public class CodecLossTests
{
    private const int Samples = 150; // frames of 32, 64 and 128 samples fit

    [Fact]
    public void Mel_spectrograms_are_compared_at_all_resolutions_that_fit()
    {
        using var scope = NewDisposeScope();
        using var loss = new MultiScaleMelLoss(TinyTones.SampleRate, Samples, CPU);
        var real = randn([2, 1, Samples], generator: new Generator(1)) * 0.3;
        var decoded = randn([2, 1, Samples], generator: new Generator(2)) * 0.3;
        var expected = ((int[])[32, 64, 128]).Average(size =>
        {
            var pairs = Enumerable.Range(0, 2)
                .SelectMany(row => Bands(Row(real, row), size).Zip(Bands(Row(decoded, row), size))).ToList();
            return pairs.Average(p => Math.Abs(p.First - p.Second))
                + pairs.Average(p => Math.Abs(Math.Log(Math.Max(p.First, 1e-5)) - Math.Log(Math.Max(p.Second, 1e-5))));
        });
        Assert.Equal(expected, loss.Compute(real, decoded).item<float>(), tolerance: 1e-4);
        Assert.Equal(0, loss.Compute(real, real).item<float>());
    }

    [Fact]
    public void The_gradient_of_silence_is_finite()
    {
        using var scope = NewDisposeScope();
        using var loss = new MultiScaleMelLoss(TinyTones.SampleRate, Samples, CPU);
        var decoded = zeros(1, 1, Samples).requires_grad_(true);
        loss.Compute(zeros(1, 1, Samples), decoded).backward();
        Assert.True(decoded.grad!.isfinite().all().item<bool>());
    }

    [Fact]
    public void Balanced_gradients_have_the_shares_of_their_weights()
    {
        using var scope = NewDisposeScope();
        var decoded = randn([3, 1, 20], generator: new Generator(3)).requires_grad_(true);
        var balancer = new GradientBalancer();
        var direction = randn([3, 1, 20], generator: new Generator(4));
        (string, double, Tensor)[] losses = [("large", 1, (decoded * direction).sum() * 1000), ("small", 3, decoded.square().sum() * 0.01)];
        var balanced = balancer.Gradient(losses, decoded, isBalanced: true);
        var expected = Unit(direction) / 4 + Unit(decoded.detach()) * 3 / 4; // norms of rows are their mean here but for rounding
        Assert.True((balanced - expected).abs().max().item<float>() < 0.05 * expected.abs().max().item<float>() + 0.05);

        // the mean norm of a loss's gradient is its weight's share, exactly
        var alone = new GradientBalancer().Gradient([("small", 3, decoded.square().sum() * 0.01)], decoded, isBalanced: true);
        Assert.Equal(1, alone.flatten(1).square().sum(1).sqrt().mean().item<float>(), tolerance: 1e-5);

        // running means: of norms n and 2 n the second is divided by (0.999 n + 2 n) / 1.999
        var running = new GradientBalancer();
        running.Gradient([("loss", 1, (decoded * direction).sum())], decoded, isBalanced: true);
        var second = running.Gradient([("loss", 1, (decoded * direction).sum() * 2)], decoded, isBalanced: true);
        Assert.Equal(2 * 1.999 / 2.999, second.flatten(1).square().sum(1).sqrt().mean().item<float>(), tolerance: 1e-5);

        var plain = balancer.Gradient(losses, decoded, isBalanced: false);
        Assert.True((plain - (direction * 1000 + 3 * 0.02 * decoded.detach())).abs().max().item<float>() < 1e-3);

        static Tensor Unit(Tensor rows) => rows / rows.flatten(1).square().sum(1).sqrt().mean();
    }

    [Theory]
    [InlineData(CodecAdversarialLoss.Hinge)]
    [InlineData(CodecAdversarialLoss.LeastSquares)]
    public void Adversarial_losses_are_means_over_discriminators(CodecAdversarialLoss kind)
    {
        using var scope = NewDisposeScope();
        var options = new CodecDiscriminatorOptions { Windows = [128, 64], Filters = 4, Loss = kind };
        using var adversary = new CodecAdversary(channels: 2, options, seed: 5, CPU);
        using var twin = new SpectrogramDiscriminators(2, options.Windows, options.Filters, seed: 5, CPU);
        var real = randn([2, 2, 300], generator: new Generator(6));
        var decoded = randn([2, 2, 300], generator: new Generator(7)).requires_grad_(true);
        var (r, d) = (twin.Forward(real), twin.Forward(decoded.detach()));

        double Mean(Func<int, double> of) => Enumerable.Range(0, 2).Average(of);
        double Loss(Tensor logits, Func<double, double> of) => logits.to(float64).contiguous().data<double>().ToArray().Average(of);
        var hinge = kind == CodecAdversarialLoss.Hinge;
        Func<double, double> taken = hinge ? x => Math.Max(0, 1 - x) : x => (1 - x) * (1 - x);
        Func<double, double> refused = hinge ? x => Math.Max(0, 1 + x) : x => x * x;
        Assert.Equal(
            Mean(i => Loss(r[i].Logits, taken) + Loss(d[i].Logits, refused)), adversary.Judge(real, decoded.detach(), share: 1), 1e-5);
        Assert.All(adversary.Parameters, p => Assert.NotNull(p.Parameter.grad));
        Assert.All(
            adversary.Parameters.Where(p => !p.Name.EndsWith("5.bias", StringComparison.Ordinal)), // that of hinge losses may cancel out
            p => Assert.True(p.Parameter.grad!.abs().sum().item<float>() > 0, p.Name));
        var (adversarial, feature) = adversary.Resist(real, decoded);
        Assert.Equal(Mean(i => Loss(d[i].Logits, taken)), adversarial.item<float>(), 1e-5);
        Assert.Equal(Mean(i => r[i].Features.Zip(d[i].Features, (a, b) =>
            (double)((a - b).abs().mean() / a.abs().mean()).item<float>()).Average()), feature.item<float>(), 1e-5);
        Assert.Equal(5, r[0].Features.Count);
        Assert.All(adversary.Parameters, p => Assert.False(p.Parameter.requires_grad));
        (adversarial + feature).backward();
        Assert.True(decoded.grad!.abs().sum().item<float>() > 0);
    }

    private static double[] Row(Tensor sounds, int row) => sounds[row, 0].to(float64).contiguous().data<double>().ToArray();

    /// <summary>The magnitudes of mel bands of all frames, by the discrete Fourier transform as it is written.</summary>
    private static List<double> Bands(double[] sound, int size)
    {
        var filters = new MelFilters(TinyTones.SampleRate, size, Math.Min(64, size / 4)).ToArray();
        var window = Enumerable.Range(0, size).Select(i => 0.5 - 0.5 * Math.Cos(2 * Math.PI * i / size)).ToArray();
        var energy = window.Sum(w => w * w);
        var padded = Enumerable.Range(-size / 2, sound.Length + size).Select(t => sound[t < 0 ? -t
            : t < sound.Length ? t : 2 * (sound.Length - 1) - t]).ToArray();
        var bands = new List<double>();
        for (var start = 0; start + size <= padded.Length; start += size / 4)
        {
            var magnitudes = Enumerable.Range(0, size / 2 + 1).Select(bin =>
            {
                var sum = Enumerable.Range(0, size).Aggregate(Complex.Zero, (all, i) =>
                    all + window[i] * padded[start + i] * Complex.Exp(new Complex(0, -2 * Math.PI * bin * i / size)));
                return Math.Sqrt(sum.Magnitude * sum.Magnitude / energy + 1e-9);
            }).ToArray();
            for (var band = 0; band < filters.GetLength(0); band++)
                bands.Add(magnitudes.Select((m, bin) => m * filters[band, bin]).Sum());
        }

        return bands;
    }
}
