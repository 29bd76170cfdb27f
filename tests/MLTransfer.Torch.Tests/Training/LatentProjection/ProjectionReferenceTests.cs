using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.LatentProjection;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.LatentProjection;

/// <summary>What the reference does with the same weights, picture and draws, step by step.</summary>
public sealed class ProjectionReferenceTests : IDisposable
{
    private readonly StyleGan2Model _model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));
    private readonly RecordedProjection _recorded = new();
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _recorded.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData(LatentSpace.W, "w")]
    [InlineData(LatentSpace.WPlus, "w_plus")]
    public void Losses_of_every_step_and_what_is_found_are_those_of_the_reference(LatentSpace space, string prefix)
    {
        var projector = new StyleGan2Projector(_model.Generator, _recorded.Options(space), _recorded.Extractor());
        var steps = new Steps();

        using var found = projector.Project(_recorded.Tensors.Read("target"), _recorded.Draws(prefix), steps, CancellationToken.None);

        var expected = _recorded.Json.GetProperty($"log_{prefix}").EnumerateArray().ToList();
        Assert.Equal(expected.Count, steps.Reports.Count);
        foreach (var (step, report) in expected.Zip(steps.Reports))
        {
            AssertClose("step", report.Step);
            AssertClose("loss", report.Loss);
            AssertClose("pixel_distance", report.PixelDistance);
            AssertClose("feature_distance", report.FeatureDistance);
            AssertClose("noise_regularization", report.NoiseRegularization);
            AssertClose("w_grad_norm", report.GradientNorm);
            AssertClose("learning_rate", report.LearningRate, 1e-12);
            AssertClose("w_noise_std", report.StyleNoise);

            void AssertClose(string name, double value, double tolerance = 9e-5)
            {
                var number = step.GetProperty(name).GetDouble();
                Assert.True(
                    Math.Abs(number - value) <= tolerance * Math.Max(1, Math.Abs(number)),
                    $"step {report.Step}, {name}: {value}, not {number}");
            }
        }

        AssertTensor("w_final", found.Latents[0]);
        AssertTensor("image_final", found.Images);
        foreach (var (name, map) in found.NoiseMaps)
            AssertTensor($"noise_final.{name}", map[0, 0]);
        Assert.Equal(7, found.NoiseMaps.Count);

        void AssertTensor(string name, Tensor actual)
        {
            var difference = (_recorded.Tensors.Read($"{prefix}.{name}") - actual).abs().max().item<float>();
            Assert.True(difference < 3e-4, $"{name}: worst difference {difference}");
        }
    }

    [Fact]
    public void The_mean_and_the_deviation_of_w_are_those_of_the_reference()
    {
        var found = StyleStatistics.Of(_model.Generator, _recorded.Draws("w"), 500);

        Assert.InRange((tensor(found.Mean) - _recorded.Tensors.Read("w_avg")[0]).abs().max().item<float>(), 0, 1e-5);
        Assert.Equal(_recorded.Tensors.Read("w_std").item<float>(), found.Deviation, 1e-5);
    }

    private sealed class Steps : IProgress<ProjectionProgress>
    {
        public List<ProjectionProgress> Reports { get; } = [];

        public void Report(ProjectionProgress value) => Reports.Add(value);
    }
}
