using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Tests.Training.Adversarial;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Tests.Networks.StyleGan2;

/// <summary>Networks with labels against the papers' formulas, written out over checkpoint tensors in float64.</summary>
[Collection(ProcessWideState.Name)]
public sealed class ConditionalNetworkTests
{
    private const int LabelWidth = 3;

    [Fact]
    public void The_generators_mapping_takes_the_normalized_embedding_of_the_label_behind_the_latent_vector()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var generator = TinyNetworks.Generator(LabelWidth);
        var weights = Weights(generator);
        var (latents, labels) = (Wave(4, 6), Labels());
        var embedding = Linear(labels, weights, "mapping.embed");
        var hidden = cat([Normalized(latents), Normalized(embedding)], 1);
        Assert.Equal([4, 6 + 6], hidden.shape);
        for (var layer = 0; layer < 2; layer++)
            hidden = Activated(Linear(hidden, weights, $"mapping.fc{layer}", multiplier: 0.01));

        var actual = generator.Map(latents, labels);
        for (var style = 0; style < generator.StyleCount; style++)
            AssertClose(hidden, actual.select(1, style));

        // A latent vector counts by its direction alone.
        AssertClose(actual, generator.Map(latents * 3, labels), 1e-6);
        Assert.False(actual.allclose(generator.Map(latents, labels.flip(1))));
    }

    [Fact]
    public void The_discriminators_logit_is_the_dot_product_with_the_mapped_label_over_the_root_of_its_width()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var discriminator = TinyNetworks.Discriminator(LabelWidth);
        var weights = Weights(discriminator);
        var (images, labels) = (Wave(4, 3, 8, 8), Labels());

        // Labels: embedded, normalized, and through eight layers.
        var mapped = Normalized(Linear(labels, weights, "mapping.embed"));
        for (var layer = 0; layer < 8; layer++)
            mapped = Activated(Linear(mapped, weights, $"mapping.fc{layer}", multiplier: 0.01));

        // Images: one residual block, the deviation over the four of them, and the last layers.
        var features = Activated(Convolution(images, weights, "b8.fromrgb"));
        var residual = Activated(Convolution(features, weights, "b8.conv0"));
        residual = Activated(Convolution(Smoothed(residual, 2), weights, "b8.conv1", stride: 2, padding: 0)) * Math.Sqrt(0.5);
        var skip = Convolution(Smoothed(features, 1).slice(2, 0, 8, 2).slice(3, 0, 8, 2), weights, "b8.skip") * Math.Sqrt(0.5);
        var last = skip + residual; // [4, C, 4, 4]
        var deviation = ((last - last.mean([0], keepdim: true)).square().mean([0]) + 1e-8).sqrt().mean();
        last = Activated(Convolution(cat([last, deviation.expand(4, 1, 4, 4)], 1), weights, "b4.conv"));
        last = Activated(Linear(last.flatten(1), weights, "b4.fc"));
        var output = Linear(last, weights, "b4.out"); // [4, mapped width]
        Assert.Equal(mapped.shape, output.shape);
        var expected = (output * mapped).sum(1, keepdim: true) / Math.Sqrt(mapped.shape[1]);

        AssertClose(expected, discriminator.Forward(images, labels));
        Assert.True(expected.std().item<double>() > 1e-3);
    }

    [Fact]
    public void Gradients_of_the_discriminator_equal_finite_differences()
    {
        using var scope = NewDisposeScope();
        using var discriminator = TinyNetworks.Discriminator(LabelWidth);
        var (images, labels) = (Wave(4, 3, 8, 8), Labels());
        Tensor Loss() => (discriminator.Forward(images, labels) * Wave(4, 1)).sum();
        Loss().backward();
        Assert.True(discriminator.named_parameters()
            .Single(p => p.name == "mapping.embed.weight").parameter.grad!.abs().max().item<double>() > 1e-4);
        TinyNetworks.AssertGradients(discriminator, () => Loss().item<double>());
    }

    [Fact]
    public void Gradients_of_the_generator_equal_finite_differences()
    {
        using var scope = NewDisposeScope();
        using var generator = TinyNetworks.Generator(LabelWidth);
        var (latents, labels, slope) = (Wave(4, 6), Labels(), Wave(4, 3, 8, 8).cos());
        Tensor Loss() => (generator.Generate(latents, labels, noise: NoiseMode.Constant) * slope).sum();
        Loss().backward();
        Assert.True(
            generator.named_parameters().Single(p => p.name == "mapping.embed.weight").parameter.grad!.abs().max().item<double>() > 1e-4);
        TinyNetworks.AssertGradients(generator, () => Loss().item<double>());
    }

    private static Dictionary<string, Tensor> Weights(nn.Module network) => StyleGan2Model.CheckpointTensors(network).ToDictionary();

    /// <summary>Two pure labels and two mixed ones.</summary>
    private static Tensor Labels() => tensor(new double[] { 1, 0, 0, 0, 0, 1, 0.5, 0.5, 0, 0.2, -0.3, 2 }, [4, LabelWidth]);

    private static Tensor Wave(params long[] shape) =>
        (arange(shape.Aggregate((a, b) => a * b), ScalarType.Float64) * 0.7 + 0.3).sin().view(shape);

    private static Tensor Normalized(Tensor rows) => rows / (rows.square().mean([1], keepdim: true) + 1e-8).sqrt();

    private static Tensor Activated(Tensor input) => where(input > 0, input, input * 0.2) * Math.Sqrt(2);

    private static Tensor Linear(Tensor input, Dictionary<string, Tensor> weights, string name, double multiplier = 1)
    {
        var weight = weights[name + ".weight"];
        return input.matmul(weight.t()) * (multiplier / Math.Sqrt(weight.shape[1])) + weights[name + ".bias"] * multiplier;
    }

    private static Tensor Convolution(Tensor input, Dictionary<string, Tensor> weights, string name, int stride = 1, int? padding = null)
    {
        var weight = weights[name + ".weight"];
        var around = padding ?? weight.shape[2] / 2;
        return F.conv2d(input, weight / Math.Sqrt(weight[0].numel()), weights.GetValueOrDefault(name + ".bias"), strides: [stride, stride],
            padding: [around, around]);
    }

    private static Tensor Smoothed(Tensor input, int padding)
    {
        var taps = tensor(new double[] { 1, 3, 3, 1 }) / 8;
        return F.conv2d(input, outer(taps, taps).expand(input.shape[1], 1, 4, 4), padding: [padding, padding], groups: input.shape[1]);
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance = 1e-10)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected - actual).abs().max().item<double>();
        Assert.True(difference < tolerance, $"worst difference {difference}");
    }
}
