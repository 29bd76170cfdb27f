using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.LatentProjection;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using ScriptFile = MLTransfer.Torch.Tests.Metrics.TorchScriptFile;

namespace MLTransfer.Tests.Images;

/// <summary>Pictures become latent vectors, and these pictures again.</summary>
public sealed class ImageProjectionTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly string _tiny;

    public ImageProjectionTests() => _tiny = TinyGenerator.Save(_folder);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(LatentSpace.W, 200)]
    [InlineData(LatentSpace.WPlus, 200)]
    public void A_generated_picture_is_found_again(LatentSpace space, int steps)
    {
        var seeds = _ml.Data.LoadFromEnumerable([new SeedRow { Seed = 0 }, new SeedRow { Seed = 3 }]);
        using var painter = _ml.Transforms.GenerateImages("Picture", "Seed").Fit(seeds); // the embedded model
        var pictures = painter.Transform(seeds);
        var options = new ProjectImagesOptions { Projection = new() { Space = space, Steps = steps, LatentSamples = 1_000 } };

        using var projection = _ml.Transforms.ProjectImages("Latent", "Picture", options).Fit(pictures);
        var latents = _ml.Data.Cache(projection.Transform(pictures), "Latent");
        using var again = _ml.Transforms.GenerateImages("Again", "Latent").Fit(latents);

        var distances = TinyGenerator.Pixels(pictures).Zip(TinyGenerator.Pixels(again.Transform(latents), "Again"), Distance).ToList();
        TestContext.Current.SendDiagnosticMessage($"{space}: {string.Join(", ", distances)}");
        Assert.All(distances, distance => Assert.InRange(distance, 0, 0.01));
        // Another picture is much farther.
        var all = TinyGenerator.Pixels(pictures);
        Assert.True(Distance(all[0], all[1]) > 0.03, $"{Distance(all[0], all[1])}");
    }

    [Theory]
    [InlineData(LatentSpace.W)]
    [InlineData(LatentSpace.WPlus)]
    public void A_saved_chain_gives_the_same_latent_vectors_and_pictures(LatentSpace space)
    {
        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(3));
        var options = Options(space);
        options.ProjectionBatchSize = 2;
        var chain = _ml.Transforms.ProjectImages("Latent", "Image", options)
            .Append(_ml.Transforms.GenerateImages("Picture", "Latent", _tiny)).Fit(drawings);
        using (chain)
        {
            _ml.Generation.Save(chain, drawings.Schema, _folder["chain.zip"]);
            var loaded = new MLContext().Model.Load(_folder["chain.zip"], out _);
            using (loaded as IDisposable)
            {
                var (before, after) = (chain.Transform(drawings), loaded.Transform(drawings));

                Assert.Equal(Latents(before), Latents(after));
                Assert.Equal(TinyGenerator.Pixels(before), TinyGenerator.Pixels(after));
                var type = Assert.IsType<VectorDataViewType>(after.Schema["Latent"].Type);
                Assert.Equal(space == LatentSpace.W ? [16] : [6, 16], type.Dimensions);
                Assert.All(Latents(after), latent => Assert.Equal(type.Size, latent.Length));
                Assert.Equal(3, Latents(after).Select(latent => latent[0]).Distinct().Count());
            }
        }
    }

    [Fact]
    public void The_seed_and_the_option_of_the_context_decide()
    {
        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(1));
        List<float[]> Project(MLContext ml, long? seed)
        {
            var options = Options(LatentSpace.W);
            options.Seed = seed;
            using var projection = ml.Transforms.ProjectImages("Latent", "Image", options).Fit(drawings);
            return Latents(projection.Transform(drawings));
        }

        Assert.Equal(Project(_ml, 3), Project(new MLContext(seed: 3), null));
        Assert.NotEqual(Project(_ml, 3), Project(_ml, 4));
    }

    [Fact]
    public void Progress_is_told_and_cancelling_stops_the_reading()
    {
        using var source = new CancellationTokenSource();
        var options = Options(LatentSpace.W);
        var steps = new List<int>();
        options.Progress = new Steps(step =>
        {
            steps.Add(step);
            if (steps.Count == 6)
                source.Cancel();
        });
        options.CancellationToken = source.Token;
        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(8));
        using var projection = _ml.Transforms.ProjectImages("Latent", "Image", options).Fit(drawings);

        Assert.Throws<OperationCanceledException>(() => Latents(projection.Transform(drawings)));

        Assert.Equal([1, 2, 3, 4, 1, 2], steps); // two batches of four rows, the second one not to its end
    }

    [Fact]
    public void A_TorchScript_network_of_features_is_saved_and_loaded_where_programs_are_allowed()
    {
        ScriptFile.Write(_folder["mean.pt"], "torch.mean(x, [2, 3])");
        using var script = new TorchScriptFeatureExtractor(_folder["mean.pt"], black: 0, white: 1);
        var drawings = _ml.Data.LoadFromEnumerable(Drawings.Make(1));
        var options = Options(LatentSpace.W);
        options.FeatureExtractor = script;
        using var projection = _ml.Transforms.ProjectImages("Latent", "Image", options).Fit(drawings);
        options.FeatureExtractor = null;
        using var plain = _ml.Transforms.ProjectImages("Latent", "Image", options).Fit(drawings);
        _ml.Generation.Save(projection, drawings.Schema, _folder["projection.zip"]);

        Assert.ThrowsAny<Exception>(() => _ml.Model.Load(_folder["projection.zip"], out _));
        TrustedModules.AllowTorchScript = true;
        try
        {
            using var loaded = (IDisposable)_ml.Model.Load(_folder["projection.zip"], out _);
            Assert.Equal(Latents(projection.Transform(drawings)), Latents(((ITransformer)loaded).Transform(drawings)));
            Assert.NotEqual(Latents(projection.Transform(drawings)), Latents(plain.Transform(drawings)));
        }
        finally
        {
            TrustedModules.AllowTorchScript = false;
        }

        options.FeatureExtractor = new DelegateFeatureExtractor(images => images.mean([2, 3]));
        using var function = _ml.Transforms.ProjectImages("Latent", "Image", options).Fit(drawings);
        Assert.Contains("DelegateFeatureExtractor", Assert.Throws<NotSupportedException>(
            () => _ml.Generation.Save(function, drawings.Schema, _folder["function.zip"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_is_refused_before_a_row_is_read()
    {
        var rows = new CountingDataView(_ml.Data.LoadFromEnumerable(Drawings.Make(3)));
        string Fitting(string input, string model) => Assert.ThrowsAny<ArgumentException>(() => _ml.Transforms.ProjectImages(
            "Latent", input, new() { PretrainedModel = model }).Fit(rows)).Message;
        string Making(Action<ProjectImagesOptions> change) => Assert.ThrowsAny<ArgumentException>(() =>
        {
            var options = Options(LatentSpace.W);
            change(options);
            _ml.Transforms.ProjectImages("Latent", "Image", options);
        }).Message;

        Assert.Contains("input column 'Place'", Fitting("Place", _tiny), StringComparison.Ordinal);
        Assert.Contains("'Absent'", Fitting("Absent", _tiny), StringComparison.Ordinal);
        Assert.Contains("images of 32 rows", Fitting("Image", PretrainedModels.Shapes), StringComparison.Ordinal);
        Assert.Equal(0, rows.RowsRead);
        Assert.Contains("Steps", Making(o => o.Projection = new() { Steps = 0 }), StringComparison.Ordinal);
        Assert.Contains("Seed of ProjectImagesOptions", Making(o => o.Projection = new() { Seed = 4 }), StringComparison.Ordinal);
        Assert.Contains("PixelWeight is 0", Making(o => o.Projection = new() { PixelWeight = 0 }), StringComparison.Ordinal);
        Assert.Contains("ProjectionBatchSize", Making(o => o.ProjectionBatchSize = 0), StringComparison.Ordinal);
        Assert.Contains("PretrainedModel", Making(o => o.PretrainedModel = " "), StringComparison.Ordinal);
    }

    private ProjectImagesOptions Options(LatentSpace space) => new()
    {
        PretrainedModel = _tiny, Projection = new() { Space = space, Steps = 4, LatentSamples = 50 },
    };

    private static List<float[]> Latents(IDataView view) => [.. view.GetColumn<float[]>("Latent")];

    /// <summary>The mean squared difference of the colours, whose range is 1.</summary>
    private static double Distance(byte[] a, byte[] b) =>
        a.Zip(b).Where((_, i) => i % 4 < 3).Average(pair => Math.Pow((pair.First - pair.Second) / 255.0, 2));

    private sealed class Steps(Action<int> report) : IProgress<ProjectionProgress>
    {
        public void Report(ProjectionProgress value) => report(value.Step);
    }
}
