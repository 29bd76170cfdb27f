using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.StyleGan2;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

/// <summary>Networks for 8x8 pixels in float64, so that differences tell derivatives. Weights and noise are the same every time.</summary>
internal static class TinyNetworks
{
    public static StyleGan2Discriminator Discriminator(int labelWidth = 0) =>
        Filled(new StyleGan2Discriminator(Configuration(labelWidth).Discriminator, WeightSource.Initialized(ScalarType.Float64, CPU)));

    public static StyleGan2Generator Generator(int labelWidth = 0) =>
        Filled(new StyleGan2Generator(Configuration(labelWidth).Generator, WeightSource.Initialized(ScalarType.Float64, CPU)));

    /// <summary>Compares a few elements of each parameter's gradient with central differences of a loss.</summary>
    public static void AssertGradients(nn.Module network, Func<double> loss)
    {
        const double step = 1e-5;
        foreach (var (name, parameter) in network.named_parameters())
        {
            using var scope = NewDisposeScope();
            var count = (int)parameter.numel();
            for (var i = 0; i < count; i += Math.Max(1, count / 3))
            {
                double At(double change)
                {
                    using (no_grad())
                        parameter.view(-1)[i] += change;
                    var value = loss();
                    using (no_grad())
                        parameter.view(-1)[i] -= change;
                    return value;
                }

                var expected = (At(step) - At(-step)) / (2 * step);
                var actual = parameter.grad is null ? 0 : parameter.grad.view(-1)[i].item<double>();
                Assert.True(Math.Abs(expected - actual) <= 1e-6 + 1e-5 * Math.Abs(expected),
                    $"{name}[{i}] is {actual}; differences give {expected}");
            }
        }
    }

    private static StyleGan2Configuration Configuration(int labelWidth) => StyleGan2Configuration.Parse(
        StyleGan2Model.Configure(8, channelBase: 32, channelMaximum: 8, latentWidth: 6, mappingLayers: 2, labelWidth: labelWidth), "test");

    /// <summary>Waves of another frequency for each parameter and noise map, as large as initial weights.</summary>
    private static T Filled<T>(T network)
        where T : nn.Module
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var drawn = StyleGan2Model.CheckpointTensors(network).Where(t => !t.Key.EndsWith("resample_filter", StringComparison.Ordinal));
        foreach (var (index, (name, parameter)) in drawn.Index())
        {
            var size = name.Contains("mapping.fc", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal) ? 100 : 1;
            parameter.copy_((arange(parameter.numel(), ScalarType.Float64) * (1.3 + 0.37 * index) + index).sin().view(parameter.shape) * (
                size * Math.Sqrt(2)));
        }

        return network;
    }
}
