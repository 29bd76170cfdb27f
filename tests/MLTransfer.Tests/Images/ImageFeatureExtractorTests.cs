using MLTransfer.Onnx.Reading;
using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Metrics;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Images;

/// <summary>Distances over the features of an ONNX file, through ML.NET.</summary>
public sealed class ImageFeatureExtractorTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _pictures;
    private readonly string _tiny;

    public ImageFeatureExtractorTests()
    {
        TestNetworks.PretrainToOnnx(_folder["network.onnx"], epochs: 1);
        _tiny = TinyGenerator.Save(_folder);
        _pictures = _ml.Data.LoadFromEnumerable(Drawings.Make(12));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Training_and_evaluation_measure_what_TorchSharp_measures_with_the_same_network()
    {
        using var extractor = new OnnxFeatureExtractor(_folder["network.onnx"], TestNetworks.Features, black: 0, white: 255);
        using var network =
            new OnnxImport(OnnxGraph.Read(File.ReadAllBytes(_folder["network.onnx"]), "network.onnx", TestNetworks.Features));
        var same = new DelegateFeatureExtractor(images => network.Forward((images.clamp(-1, 1) + 1) * 127.5));
        var options = TinyGenerator.Options(
            _tiny, o => o.FeatureExtractor = extractor, t => t with { EvaluationImages = 8, EvaluationCount = 24 });

        using var model = _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", options).Fit(_pictures);
        var found = _ml.Generation.Evaluate(model, _pictures, "Image", extractor, count: 24);
        var expected = _ml.Generation.Evaluate(model, _pictures, "Image", same, count: 24);

        Assert.Equal(expected.FrechetDistance, found.FrechetDistance, 1e-3 * expected.FrechetDistance);
        Assert.Equal(expected.KernelDistance, found.KernelDistance, 1e-3 * Math.Abs(expected.KernelDistance));
        Assert.Equal([2, 4], model.TrainingResult!.History.Where(report => report.FrechetDistance > 0).Select(report => report.Step));
    }

    [Fact]
    public void A_network_of_other_images_is_refused_before_a_row_is_read()
    {
        using var extractor = new OnnxFeatureExtractor(_folder["network.onnx"], "conv"); // maps, not features
        using var model = _ml.Transforms.GenerateImages("Picture", "Seed", _tiny).Fit(TinyGenerator.Seeds(_ml, 1));
        var rows = new CountingDataView(_pictures);

        var evaluating = Assert.Throws<NotSupportedException>(() => _ml.Generation.Evaluate(model, rows, "Image", extractor)).Message;
        var fitting = Assert.Throws<NotSupportedException>(() => _ml.Transforms.FineTuneImageGenerator(
            "Picture", "Seed", "Image", TinyGenerator.Options(_tiny, o => o.FeatureExtractor = extractor)).Fit(rows)).Message;

        Assert.All((string[])[evaluating, fitting], message => Assert.All(
            (string[])["network.onnx", "'conv'", "[2, 8, 16, 16]", "[2, width]"], part =>
                Assert.Contains(part, message, StringComparison.Ordinal)));
        Assert.Equal(0, rows.RowsRead);
    }
}
