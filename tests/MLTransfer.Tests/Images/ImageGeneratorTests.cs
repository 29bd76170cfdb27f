using System.Text.Json.Nodes;
using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Images;

public sealed class ImageGeneratorTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly string _tiny;

    public ImageGeneratorTests() => _tiny = TinyGenerator.Save(_folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_seed_gives_one_picture_in_any_batch_and_in_a_prediction_engine()
    {
        var seeds = TinyGenerator.Seeds(_ml, 7);
        using var one = Pretrained(new GenerateImagesOptions { GenerationBatchSize = 1 });
        using var three = Pretrained(new GenerateImagesOptions { GenerationBatchSize = 3 });

        var expected = TinyGenerator.Pixels(one.Transform(seeds));
        var found = TinyGenerator.Pixels(three.Transform(seeds));
        using var engine = _ml.Model.CreatePredictionEngine<SeedRow, PictureRow>(three, seeds.Schema);

        Assert.Equal(7, expected.Select(Convert.ToHexString).Distinct().Count());
        for (var seed = 0; seed < 7; seed++)
        {
            Assert.InRange(TinyGenerator.Difference(expected[seed], found[seed]), 0, 1);
            Assert.InRange(
                TinyGenerator.Difference(expected[seed], engine.Predict(new SeedRow { Seed = seed }).Picture!.Pixels.ToArray()), 0, 1);
        }

        Assert.Equal(new ImageDataViewType(16, 16), three.Transform(seeds).Schema["Picture"].Type);
    }

    [Fact]
    public void A_latent_vector_gives_the_picture_of_the_seed_that_it_is_drawn_with()
    {
        manual_seed(3);
        using var latent = randn(1, TinyGenerator.LatentWidth);
        var vectors = _ml.Data.LoadFromEnumerable([new LatentRow { Latent = latent.data<float>().ToArray() }]);
        using var model = Pretrained();

        var expected = TinyGenerator.Pixels(model.Transform(_ml.Data.LoadFromEnumerable([new SeedRow { Seed = 3 }])))[0];
        var found = TinyGenerator.Pixels(_ml.Transforms.GenerateImages("Picture", "Latent", _tiny).Fit(vectors).Transform(vectors))[0];

        Assert.InRange(TinyGenerator.Difference(expected, found), 0, 1);
    }

    [Fact]
    public void Pictures_are_made_only_when_they_are_asked_for()
    {
        var rows = new CountingDataView(TinyGenerator.Seeds(_ml, 9));
        using var model = Pretrained(new GenerateImagesOptions { GenerationBatchSize = 3 });

        var view = model.Transform(rows);

        Assert.Equal(0, rows.RowsRead);
        Assert.Single(view.GetColumn<MLImage>("Picture").Take(1));
        Assert.Equal(3, rows.RowsRead);
        Assert.Equal(["Seed"], rows.ColumnsRead);
    }

    [Fact]
    public void Several_threads_get_the_same_pictures()
    {
        using var model = Pretrained();
        var view = model.Transform(TinyGenerator.Seeds(_ml, 12));
        var expected = TinyGenerator.Pixels(view);
        var found = new List<byte[]>[4];

        Parallel.For(0, found.Length, i => found[i] = TinyGenerator.Pixels(view));

        Assert.All(found, pictures => Assert.Equal(expected, pictures));
    }

    [Fact]
    public void Truncation_to_0_makes_all_pictures_the_same()
    {
        using var model = Pretrained(new GenerateImagesOptions { Truncation = 0 });

        Assert.Single(TinyGenerator.Pixels(model.Transform(TinyGenerator.Seeds(_ml, 4))).Select(Convert.ToHexString).Distinct());
    }

    [Fact]
    public void Fine_tuning_brings_pictures_nearer_to_the_training_images()
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(24));
        using var reference = StyleGan2Model.Load(_tiny);
        var extractor = new DelegateFeatureExtractor(images => images.mean([2, 3])); // mean colours
        using var untuned = Pretrained();
        var progress = new List<StyleGan2Progress>();
        var options = TinyGenerator.Options(
            _tiny, o => o.Progress = new ProgressList(progress), t => t with { TotalImages = 160, MirrorImages = false });
        using var tuned = _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", options).Fit(data);

        var before = _ml.Generation.Evaluate(untuned, data, "Image", extractor, count: 64);
        var after = _ml.Generation.Evaluate(tuned, data, "Image", extractor, count: 64);

        Assert.InRange(after.FrechetDistance, 0, 0.7 * before.FrechetDistance);
        Assert.Equal(40, progress.Count);
        Assert.Equal(160, tuned.TrainingResult!.Images);
    }

    [Theory]
    [InlineData(Precision.Float32, "in float32 on")]
    [InlineData(Precision.BFloat16, "in bfloat16 on")]
    [InlineData(Precision.Auto, "this machine")]
    public void The_number_format_of_training_is_logged(Precision precision, string expected)
    {
        var messages = new List<string>();
        _ml.Log += (_, entry) => messages.Add(entry.Message);

        using var tuned = _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", TinyGenerator.Options(
            _tiny, training: t => t with { TotalImages = 4, Precision = precision }))
            .Fit(_ml.Data.LoadFromEnumerable(Drawings.Make(4)));

        Assert.Contains(messages, message => message.Contains("Computing", StringComparison.Ordinal)
            && message.Contains(expected, StringComparison.Ordinal));
        Assert.Equal(Precision.Auto, new AdversarialTrainingOptions().Precision);
    }

    [Fact]
    public void A_conditional_model_learns_from_a_key_column_and_makes_what_it_says()
    {
        var model = TinyGenerator.Save(_folder, classes: 3);
        var data = _ml.Transforms.Conversion.MapValueToKey("Key", "Class").Fit(Labelled()).Transform(Labelled());
        var options = TinyGenerator.Options(model, o => (o.LabelColumnName, o.GenerationBatchSize) = ("Key", 8));

        using var tuned = _ml.Transforms.FineTuneImageGenerator("Picture", "Number", "Image", options).Fit(data);
        var pictures = TinyGenerator.Pixels(tuned.Transform(data));

        // The rows have one seed and three classes.
        Assert.Equal(3, pictures.Select(Convert.ToHexString).Distinct().Count());
        Assert.Contains("LabelColumnName", Assert.Throws<ArgumentException>(
            () => _ml.Transforms.FineTuneImageGenerator("Picture", "Number", "Image", TinyGenerator.Options(model)).Fit(data)).Message,
            StringComparison.Ordinal);

        IDataView Labelled() => _ml.Data.LoadFromEnumerable(Drawings.Make(9).Select((drawing, index) => new LabelledRow
        {
            Image = drawing.Image, Class = $"class {index % 3}", Number = 4,
        }));
    }

    [Theory]
    [InlineData("Missing", "Image", "training column 'Missing'", "'Image'")]
    [InlineData("Class", "Seed", "training column 'Class'", "expected an image")]
    [InlineData("Image", "Class", "input column 'Class'", "the seed of a picture")]
    [InlineData("Image", "Place", "input column 'Place'", "have 2 values; the model takes 16")]
    [InlineData("Large", "Seed", "'Large'", "ResizeImages")]
    public void An_unfit_column_is_refused_before_a_row_is_read(string training, string input, params string[] messageParts)
    {
        var rows = new CountingDataView(_ml.Transforms.ResizeImages("Large", 20, 20, "Image").Fit(Data()).Transform(Data()));

        var exception = Assert.Throws<ArgumentException>(
            () => _ml.Transforms.FineTuneImageGenerator("Picture", input, training, TinyGenerator.Options(_tiny)).Fit(rows));

        Assert.All(messageParts, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
        Assert.Equal(0, rows.RowsRead);

        IDataView Data() => _ml.Data.LoadFromEnumerable(Drawings.Make(3));
    }

    [Fact]
    public void An_image_of_another_size_is_named_with_its_row_and_the_remedy()
    {
        var drawings = Drawings.Save(3, _folder);
        MLImage.CreateFromPixels(2, 3, MLPixelFormat.Rgba32, new byte[24]).Save(drawings[1].Opening);
        var data = _ml.Data.LoadFromEnumerable(drawings);
        var images = _ml.Transforms.LoadImages("Loaded", imageFolder: null, "Opening").Fit(data).Transform(data);

        var exception = Assert.Throws<InvalidOperationException>(
            () => _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Loaded", TinyGenerator.Options(_tiny)).Fit(images));

        Assert.All((string[])["Row 1", "'Loaded'", "3 rows and 2 columns", "ResizeImages"],
            part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Options_are_checked_when_the_estimator_is_made()
    {
        AssertRefused("Truncation", o => o.Truncation = double.NaN);
        AssertRefused("Noise", o => o.Noise = NoiseMode.Random);
        AssertRefused("OutputDirectory", training: t => t with { CheckpointImages = 4 });
        AssertRefused("FeatureExtractor", training: t => t with { EvaluationImages = 4 });
        AssertRefused("LearningRate", training: t => t with { LearningRate = -1 });
        AssertRefused("PretrainedModel", o => o.PretrainedModel = " ");

        void AssertRefused(
            string option, Action<ImageGeneratorOptions>? change = null,
            Func<AdversarialTrainingOptions, AdversarialTrainingOptions>? training = null) =>
            Assert.Contains(option, Assert.ThrowsAny<ArgumentException>(() => _ml.Transforms.FineTuneImageGenerator(
                "Picture", "Seed", "Image", TinyGenerator.Options(_tiny, change, training))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Truncation_is_refused_before_training_where_the_model_has_no_mean_style()
    {
        var path = Path.Combine(_tiny, "config.json");
        var configuration = JsonNode.Parse(File.ReadAllText(path))!;
        configuration["generator"]!["mapping_kwargs"]!["w_avg_beta"] = null;
        File.WriteAllText(path, configuration.ToJsonString());
        var rows = new CountingDataView(_ml.Data.LoadFromEnumerable(Drawings.Make(3)));

        var exception = Assert.Throws<ArgumentException>(() => _ml.Transforms.FineTuneImageGenerator(
            "Picture", "Seed", "Image", TinyGenerator.Options(_tiny, o => o.Truncation = 0.5)).Fit(rows));

        Assert.Contains("w_avg", exception.Message, StringComparison.Ordinal);
        Assert.Equal(0, rows.RowsRead);
    }

    [Fact]
    public void A_seed_that_is_no_whole_number_is_refused_with_its_row()
    {
        using var model = _ml.Transforms.GenerateImages("Picture", "Number", _tiny).Fit(_ml.Data.LoadFromEnumerable(TestData.Stories(1)));
        var view = model.Transform(_ml.Data.LoadFromEnumerable([new Story { Number = 1 }, new Story { Number = 1.5f }]));

        var exception = Assert.Throws<InvalidOperationException>(() => TinyGenerator.Pixels(view));

        Assert.Contains("Row 1 (from 0), column 'Number' has the seed 1.5", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cancelled_run_that_goes_on_ends_with_the_same_pictures()
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(8));
        using var whole = Fit(o => { });
        using var cancellation = new CancellationTokenSource();
        var interrupting = new ProgressList([], report =>
        {
            if (report.Step == 3)
                cancellation.Cancel();
        });

        Assert.Throws<OperationCanceledException>(
            () => Fit(o => (o.Progress, o.CancellationToken) = (interrupting, cancellation.Token)).Dispose());
        Assert.True(Directory.Exists(_folder["run/checkpoint-2"]));
        using var resumed = Fit(o => { }, resume: true);

        Assert.Equal(2, resumed.TrainingResult!.History.Count);
        var seeds = TinyGenerator.Seeds(_ml, 3);
        Assert.Equal(TinyGenerator.Pixels(whole.Transform(seeds)), TinyGenerator.Pixels(resumed.Transform(seeds)));
        Assert.True(File.Exists(_folder["run/samples-0000016.png"]));

        // A checkpoint is a pretrained model.
        using var again = _ml.Transforms.GenerateImages("Picture", "Seed", _folder["run/checkpoint-4"]).Fit(seeds);
        Assert.Equal(TinyGenerator.Pixels(resumed.Transform(seeds)), TinyGenerator.Pixels(again.Transform(seeds)));

        ImageGeneratorTransformer Fit(Action<ImageGeneratorOptions> change, bool resume = false) =>
            _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", TinyGenerator.Options(_tiny, change, t => t with
            {
                OutputDirectory = _folder["run"], CheckpointImages = 8, SampleImages = 8, SampleCount = 4, Resume = resume,
            })).Fit(data);
    }

    private ImageGeneratorTransformer Pretrained(GenerateImagesOptions? options = null) =>
        _ml.Transforms.GenerateImages("Picture", "Seed", _tiny, options).Fit(TinyGenerator.Seeds(_ml, 1));

    private sealed class LabelledRow
    {
        [ImageType(Drawings.Size, Drawings.Size)]
        public MLImage? Image { get; set; }

        public string Class { get; set; } = "";

        public long Number { get; set; }
    }

    private sealed class ProgressList(List<StyleGan2Progress> reports, Action<StyleGan2Progress>? next = null)
        : IProgress<StyleGan2Progress>
    {
        public void Report(StyleGan2Progress value)
        {
            reports.Add(value);
            next?.Invoke(value);
        }
    }
}
