using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.LatentProjection;
using MLTransfer.Torch.Tests.Metrics;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.LatentProjection;

[Collection(ProcessWideState.Name)]
public sealed class StyleGan2ProjectorTests : IDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private readonly StyleGan2Model _model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _pictures;

    public StyleGan2ProjectorTests()
    {
        using var gradients = no_grad();
        _pictures = _model.Generator.Generate(SeedLatents.Create([5, 6, 7], 32), noise: NoiseMode.Constant).clamp(-1, 1);
    }

    public void Dispose()
    {
        _scope.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData(LatentSpace.W)]
    [InlineData(LatentSpace.WPlus)]
    public void Pictures_together_are_projected_as_each_is_alone(LatentSpace space)
    {
        var projector = new StyleGan2Projector(
            _model.Generator, new ProjectionOptions { Space = space, Steps = 6, LatentSamples = 100 }, Mean());

        using var together = projector.Project(_pictures, cancellationToken: Stop);
        for (var i = 0; i < 3; i++)
        {
            using var alone = projector.Project(_pictures.narrow(0, i, 1), cancellationToken: Stop);

            Assert.InRange((together.Latents[i] - alone.Latents[0]).abs().max().item<float>(), 0, 2e-4);
            Assert.InRange((together.NoiseMaps["b8.conv1"][i] - alone.NoiseMaps["b8.conv1"][0]).abs().max().item<float>(), 0, 2e-3);
            Assert.Equal(together.PixelDistances[i], alone.PixelDistances[0], 1e-4);
        }

        Assert.True((together.Latents[0] - together.Latents[1]).abs().max().item<float>() > 0.01);
    }

    [Fact]
    public void The_seed_decides_and_nothing_else_is_drawn()
    {
        manual_seed(1);
        using var first = Projector(new() { Steps = 3, LatentSamples = 50 }).Project(_pictures, cancellationToken: Stop);
        manual_seed(2);
        using var second = Projector(new() { Steps = 3, LatentSamples = 50 }).Project(_pictures, cancellationToken: Stop);
        using var other = Projector(new() { Steps = 3, LatentSamples = 50, Seed = 2 }).Project(_pictures, cancellationToken: Stop);

        Assert.True(first.Latents.equal(second.Latents).all().item<bool>());
        Assert.True(first.Images.equal(second.Images).all().item<bool>());
        Assert.False(first.Latents.equal(other.Latents).all().item<bool>());
    }

    [Fact]
    public void The_models_own_noise_maps_stay_where_they_are_not_optimised()
    {
        using var found =
            Projector(new() { Steps = 3, LatentSamples = 50, OptimizesNoise = false }).Project(_pictures, cancellationToken: Stop);
        using var gradients = no_grad();

        var drawn = _model.Generator.Synthesize(found.Latents.expand(-1, _model.Generator.StyleCount, -1), NoiseMode.Constant);

        Assert.Empty(found.NoiseMaps);
        Assert.True(drawn.equal(found.Images).all().item<bool>());
        Assert.Equal((found.Images[1] - _pictures[1]).square().mean().item<float>(), found.PixelDistances[1], 1e-5);
    }

    [Fact]
    public void Features_of_a_TorchScript_network_are_followed()
    {
        using var folder = new TemporaryFolder();
        TorchScriptFile.Write(folder["mean.pt"], "torch.mean(x, [2, 3])");
        using var script = new TorchScriptFeatureExtractor(folder["mean.pt"]);
        var options = new ProjectionOptions { Steps = 5, LatentSamples = 50, PixelWeight = 0 };

        using var found = new StyleGan2Projector(_model.Generator, options, script).Project(_pictures, cancellationToken: Stop);
        using var same = new StyleGan2Projector(_model.Generator, options, Mean()).Project(_pictures, cancellationToken: Stop);

        Assert.InRange((found.Latents - same.Latents).abs().max().item<float>(), 0, 1e-4);
    }

    [Fact]
    public void A_projection_stops_when_it_is_cancelled_and_leaves_no_tensors()
    {
        using var source = new CancellationTokenSource();
        var stop = new StopAt(3, source);
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        Assert.Throws<OperationCanceledException>(
            () => Projector(new() { Steps = 100, LatentSamples = 50 }).Project(_pictures, stop, source.Token));

        Assert.Equal(3, stop.Last);
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void What_cannot_be_projected_is_refused_by_name()
    {
        Assert.Contains("[3, 3, 16, 16]; expected [N, 3, 32, 32]", Refused(new(), pictures: zeros(3, 3, 16, 16)));
        Assert.Contains("Space must be W or WPlus", Refused(new() { Space = LatentSpace.Z }));
        Assert.Contains("Steps", Refused(new() { Steps = 0 }));
        Assert.Contains("NoiseRamp", Refused(new() { NoiseRamp = 1.5 }));
        Assert.Contains("PixelWeight is 0", Refused(new() { PixelWeight = 0 }));
        Assert.Contains("[3, 4, 5] for 3 images", Refused(new(), new DelegateFeatureExtractor(_ => zeros(3, 4, 5))));
        Assert.Contains("no gradient", Refused(new(), new DelegateFeatureExtractor(images => images.detach().mean([2, 3]))));
    }

    private string Refused(ProjectionOptions options, DelegateFeatureExtractor? extractor = null, Tensor? pictures = null) =>
        Assert.ThrowsAny<ArgumentException>(() => new StyleGan2Projector(
            _model.Generator, options with { LatentSamples = 10 }, extractor).Project(pictures ?? _pictures)).Message;

    private StyleGan2Projector Projector(ProjectionOptions options) => new(_model.Generator, options);

    private static DelegateFeatureExtractor Mean() => new(images => images.mean([2, 3]));

    private sealed class StopAt(int step, CancellationTokenSource source) : IProgress<ProjectionProgress>
    {
        public int Last { get; private set; }

        public void Report(ProjectionProgress value)
        {
            Last = value.Step;
            if (value.Step == step)
                source.Cancel();
        }
    }
}
