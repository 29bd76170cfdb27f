using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Images;

public sealed class ImageOnnxTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ApplyOnnxModel_makes_the_pictures_of_the_engine()
    {
        var seeds = TinyGenerator.Seeds(_ml, 1);
        using var model = _ml.Transforms.GenerateImages("Picture", "Seed", TinyGenerator.Save(_folder)).Fit(seeds);
        Assert.InRange(Assert.Single(_ml.Generation.ExportToOnnx(model, _folder["tiny.onnx"])).LargestDifference!.Value, 0, 1e-3);
        manual_seed(5);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var latents = randn(2, TinyGenerator.LatentWidth);
        var rows = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 2).Select(
            i => new OnnxRow { Latent = latents[i].data<float>().ToArray(), Psi = [0.5f] }));

        var view = _ml.Transforms.ApplyOnnxModel(["image"], ["z", "psi"], _folder["tiny.onnx"]).Fit(rows).Transform(rows);

        var found = view.GetColumn<float[]>("image").ToList();
        var expected = model.Model.Generator.Generate(latents, truncation: 0.5, noise: NoiseMode.Constant);
        Assert.Equal(2, found.Count);
        for (var i = 0; i < 2; i++)
            Assert.InRange((tensor(found[i]) - expected[i].flatten()).abs().max().item<float>(), 0, 1e-3);
    }

    [Fact]
    public void A_model_without_an_image_generator_is_refused()
    {
        var data = TinyGenerator.Seeds(_ml, 1);

        var exception = Assert.Throws<ArgumentException>(
            () => _ml.Generation.ExportToOnnx(_ml.Transforms.CopyColumns("Copy", "Seed").Fit(data), _folder["none.onnx"]));

        Assert.Contains("no image generator", exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["none.onnx"]));
    }

    private sealed class OnnxRow
    {
        [ColumnName("z"), VectorType(TinyGenerator.LatentWidth)]
        public float[] Latent { get; set; } = [];

        [ColumnName("psi"), VectorType(1)]
        public float[] Psi { get; set; } = [];
    }
}
