using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Tests.Reading;
using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Metrics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Images;

/// <summary>Distances of pictures and scores of captions, through ML.NET.</summary>
public sealed class ImageEvaluationTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly ImageEvaluationOptions _options = new()
    {
        FeatureExtractor = new DelegateFeatureExtractor(images => images.mean([2, 3])), Neighbors = 3, BatchSize = 7,
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sets_of_pictures_are_measured_over_the_features_of_the_network()
    {
        using var scope = NewDisposeScope();
        var (real, made) = (Drawings.Make(20), Drawings.Make(30, seed: 2));
        _options.KernelSubsetCount = 4;
        _options.KernelSubsetSize = 10;
        var reports = new Reports();

        var found = _ml.Generation.EvaluateImages(
            _ml.Data.LoadFromEnumerable(real), "Image", _ml.Data.LoadFromEnumerable(made), "Image", _options, reports);

        var (first, second) = (Colours(real), Colours(made));
        Assert.Equal((20, 30), (found.RealCount, found.GeneratedCount));
        Assert.Equal(FeatureDistances.FrechetDistance(first, second), found.FrechetDistance, 1e-6);
        Assert.Equal(FeatureDistances.KernelDistance(first, second), found.KernelDistance, 1e-6);
        Assert.Equal(FeatureDistances.KernelDistanceOfSubsets(first, second, 10, 4).Deviation, found.KernelSubsets!.Deviation, 1e-6);
        Assert.Equal(
            FeatureManifolds.Compare(first, second, 3),
            new ManifoldOverlap(3, found.Precision, found.Recall, found.Density, found.Coverage));
        Assert.InRange(found.Coverage, 0.1, 1);
        Assert.Equal([7, 14, 20, 27, 34, 41, 48, 50], reports.Counts);
        Assert.Null(found.Captions);
    }

    [Fact]
    public void Pictures_of_a_model_are_made_for_the_rows_and_compared()
    {
        var rows = _ml.Data.LoadFromEnumerable(
            Drawings.Make(8).Select((drawing, i) => new SeededPicture { Seed = i, Picture = drawing.Image }));
        using var model = _ml.Transforms.GenerateImages("Made", "Seed", TinyGenerator.Save(_folder)).Fit(rows);

        var found = _ml.Generation.EvaluateImages(model, rows, "Picture", _options);
        var same = _ml.Generation.EvaluateImages(model.Transform(rows), "Picture", "Made", _options);

        Assert.Equal(same, found);
        Assert.True(found.FrechetDistance > 0.01);
        Assert.Equal(0, _ml.Generation.EvaluateImages(rows, "Picture", "Picture", _options).FrechetDistance, 1e-6);
    }

    [Fact]
    public void Captions_are_scored_by_the_image_text_model_whose_embeddings_are_the_features()
    {
        TinyTextImageModel.WriteFiles(_folder.Path);
        TinyTextImageModel.Write(_folder["model.onnx"]);
        using var clip = new OnnxTextImageModel(_folder.Path);
        var drawings = Drawings.Make(9);
        var data = _ml.Data.LoadFromEnumerable(drawings);
        var options = new ImageEvaluationOptions { TextImageModel = clip, CaptionColumnName = "Class", Neighbors = 2, BatchSize = 4 };

        var found = _ml.Generation.EvaluateImages(data, "Image", "Image", options);
        var alone = _ml.Generation.ScoreCaptions(data, "Image", "Class", clip, batchSize: 5);
        var others = _ml.Generation.ScoreCaptions(
            _ml.Data.LoadFromEnumerable(drawings.Select(drawing => new Drawing { Image = drawing.Image, Class = "dark" })), "Image",
            "Class", clip);

        Assert.Equal(9, found.Captions!.Rows.Count);
        Assert.All(found.Captions.Rows.Zip(alone.Rows), pair => Assert.Equal(pair.First.Cosine, pair.Second.Cosine, 1e-6));
        Assert.Equal(found.Captions.Rows.Average(row => row.Score), found.Captions.MeanScore);
        Assert.NotEqual(others.MeanScore, found.Captions.MeanScore, 1.0);
        Assert.Equal((1, 1), (found.Precision, found.Coverage));
        // A picture of a colour fits the word for it better than another word.
        using var scope = NewDisposeScope();
        var red = full([1, 3, 16, 16], -1f);
        red.narrow(1, 0, 1).fill_(1);
        Assert.True(clip.Score(["red"], red)[0].Cosine > clip.Score(["green"], red)[0].Cosine + 0.5);
    }

    [Fact]
    public void What_cannot_be_measured_is_refused_by_name_before_a_picture_is_read()
    {
        var rows = new CountingDataView(_ml.Data.LoadFromEnumerable(Drawings.Make(3)));
        string Refused<T>(ImageEvaluationOptions options, string real = "Image", string made = "Image")
            where T : Exception => Assert.Throws<T>(() => _ml.Generation.EvaluateImages(rows, real, made, options)).Message;

        Assert.Contains("FeatureExtractor", Refused<ArgumentException>(new()), StringComparison.Ordinal);
        Assert.Contains("'Class', but", Refused<ArgumentException>(
            new() { FeatureExtractor = _options.FeatureExtractor, CaptionColumnName = "Class" }), StringComparison.Ordinal);
        Assert.Contains("Neighbors", Refused<ArgumentOutOfRangeException>(
            new() { FeatureExtractor = _options.FeatureExtractor, Neighbors = 0 }), StringComparison.Ordinal);
        Assert.Contains("real column 'Place'", Refused<ArgumentException>(_options, real: "Place"), StringComparison.Ordinal);
        Assert.Contains("generated column 'Absent'", Refused<ArgumentException>(_options, made: "Absent"), StringComparison.Ordinal);
        Assert.Equal(0, rows.RowsRead);
        Assert.Contains("3 real pictures in column 'Image'; Neighbors = 3", Refused<ArgumentException>(_options), StringComparison.Ordinal);
        var network = _ml.Data.LoadFromEnumerable(Drawings.Make(3));
        Assert.Contains("nothing that makes pictures", Assert.Throws<ArgumentException>(() => _ml.Generation.EvaluateImages(
            _ml.Transforms.CopyColumns("Copy", "Place").Fit(network), network, "Image", _options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_without_a_picture_or_a_caption_is_named()
    {
        TinyTextImageModel.WriteFiles(_folder.Path);
        TinyTextImageModel.Write(_folder["model.onnx"]);
        using var clip = new OnnxTextImageModel(_folder.Path);
        var drawings = Drawings.Make(6);
        drawings[4].Class = "";
        drawings[2].Image = null;

        var data = _ml.Data.LoadFromEnumerable(drawings);
        Assert.Contains("Row 2 (from 0), column 'Image'", Assert.Throws<InvalidOperationException>(
            () => _ml.Generation.EvaluateImages(data, "Image", "Image", _options)).Message, StringComparison.Ordinal);
        Assert.Contains("Row 3 (from 0), column 'Class'", Assert.Throws<InvalidOperationException>(() => _ml.Generation.ScoreCaptions(
            _ml.Data.LoadFromEnumerable(drawings.Where(drawing => drawing.Image is not null)), "Image", "Class", clip)).Message,
            StringComparison.Ordinal);
    }

    private static Tensor Colours(List<Drawing> drawings)
    {
        var colours = drawings.SelectMany(drawing =>
        {
            var pixels = drawing.Image!.Pixels.ToArray();
            return Enumerable.Range(0, 3).Select(channel =>
                (float)(pixels.Where((_, i) => i % 4 == channel).Average(value => (double)value) / 127.5 - 1));
        }).ToArray();
        return tensor(colours, [drawings.Count, 3]);
    }

    private sealed class Reports : IProgress<ImageEvaluationProgress>
    {
        public List<int> Counts { get; } = [];

        public void Report(ImageEvaluationProgress value) => Counts.Add(value.ImageCount);
    }

    private sealed class SeededPicture
    {
        public int Seed { get; set; }

        [ImageType(Drawings.Size, Drawings.Size)]
        public MLImage? Picture { get; set; }
    }
}
