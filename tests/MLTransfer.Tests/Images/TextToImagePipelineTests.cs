using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Xunit;

namespace MLTransfer.Tests.Images;

/// <summary>A network that writes codes of pictures is fine-tuned in a pipeline, and draws there.</summary>
public sealed class TextToImagePipelineTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _messages = [];
    private readonly string _dalle;

    public TextToImagePipelineTests()
    {
        _ml.Log += (_, message) => _messages.Add(message.Message);
        _dalle = TinyCaptions.Save(_folder["dalle"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Captions_are_learned_by_adapters_that_are_merged_and_the_codec_stays()
    {
        var data = Load(TinyCaptions.Rows());
        var options = TinyCaptions.Options(_dalle, o => o.RunProgress = new Callback(report => _messages.Add(report.GetType().Name)));
        using var tuned = Fine(options, data);

        var result = tuned.TextToImageResult!;
        Assert.Equal(4, result.Steps);
        Assert.True(result.ValidationLoss < result.InitialValidationLoss);
        Assert.Null(tuned.Network.Lora);
        using var before = Torch.Networks.GenerativeNetwork.Load(_dalle);
        Assert.Equal(((Torch.Networks.TextToImageModel)before).Codec.ComputeFingerprint(), tuned.Network.Codec.ComputeFingerprint());
        Assert.NotEqual(before.ComputeFingerprint(), tuned.Network.ComputeFingerprint());
        Assert.Contains(_messages, message => message.Contains("7 pictures, 1 for evaluation, by adapters", StringComparison.Ordinal));
        Assert.Contains(nameof(TextToImageProgress), _messages);

        var made = tuned.Transform(data);
        Assert.Equal(new ImageDataViewType(16, 16), made.Schema["Picture"].Type);
        Assert.Equal(8, TinyGenerator.Pixels(made).Count);
    }

    [Fact]
    public void Rows_are_made_alike_alone_together_and_filtered_and_rows_of_one_caption_differ()
    {
        var rows = TinyCaptions.Rows(5);
        rows.ForEach(row => row.Caption = "a red square");
        var data = Load(rows);
        using var model = Plain(new() { GenerationBatchSize = 2 }, data);
        using var alone = Plain(new() { GenerationBatchSize = 1 }, data);
        var all = TinyGenerator.Pixels(model.Transform(data));

        Assert.Equal(5, all.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(all, TinyGenerator.Pixels(alone.Transform(data)));
        Assert.Equal(all[3..], TinyGenerator.Pixels(model.Transform(_ml.Data.FilterRowsByColumn(
            _ml.Transforms.Conversion.ConvertType("Number", outputKind: DataKind.Single).Fit(data).Transform(data), "Number", 3))));
        Parallel.For(0, 3, _ => Assert.Equal(all, TinyGenerator.Pixels(model.Transform(data))));

        using var seeded = Plain(new() { SeedColumnName = "Number" }, data);
        var forward = TinyGenerator.Pixels(seeded.Transform(data));
        var backward = TinyGenerator.Pixels(seeded.Transform(Load([.. rows.AsEnumerable().Reverse()])));
        Assert.Equal(forward, backward.AsEnumerable().Reverse()); // the seed decides, wherever the row is
        Assert.NotEqual(all, forward);
    }

    [Fact]
    public void Images_are_completed_and_varied_with_and_without_captions()
    {
        var data = Load(TinyCaptions.Rows(3));
        List<byte[]> Of(GenerateImagesOptions options)
        {
            using var model = _ml.Transforms.GenerateImages("Picture", "Image", _dalle, options).Fit(data);
            return TinyGenerator.Pixels(model.Transform(data));
        }

        GenerateImagesOptions With(ImageGenerationOptions drawing, string? captions = null, long seed = 1) =>
            new() { TextToImage = drawing, CaptionColumnName = captions, Seed = seed };

        var kept = Of(With(new() { KeptRows = 1 }));
        Assert.Equal(kept, Of(With(new() { RedrawnShare = 0 }, "Caption", seed: 2))); // as the codec gives them back
        var completed = Of(With(new()));
        Assert.NotEqual(kept, completed);
        Assert.NotEqual(completed, Of(With(new(), "Caption")));
        Assert.NotEqual(completed, Of(With(new(), seed: 2)));
        // The codec's convolutions reach a few pixels beyond a code: rows well inside of the kept half stay as they are.
        Assert.All(kept.Zip(completed), pair => Assert.Equal(pair.First[..(4 * 16 * 2)], pair.Second[..(4 * 16 * 2)]));
        Assert.NotEqual(completed, Of(With(new() { RedrawnShare = 0.2 })));
    }

    [Fact]
    public void A_cancelled_run_is_resumed_to_the_same_pictures_and_its_codes_are_kept_beside_it()
    {
        var data = Load(TinyCaptions.Rows());
        using var whole = Fit("whole", resume: false, default, null);
        using var source = new CancellationTokenSource();
        var error = Assert.Throws<OperationCanceledException>(() => Fit(
            "run", resume: false, source.Token, new Callback(p => { if (p.Step == 3) source.Cancel(); })));
        Assert.Contains("checkpoint-2", error.Message, StringComparison.Ordinal);
        var codes = Directory.GetFiles(_folder["run/codes"]);
        Assert.Equal(8, codes.Length);
        var written = codes.Select(File.GetLastWriteTimeUtc).ToList();

        using var resumed = Fit("run", resume: true, default, null);

        Assert.Equal(TinyGenerator.Pixels(whole.Transform(data)), TinyGenerator.Pixels(resumed.Transform(data)));
        Assert.Equal(written, codes.Select(File.GetLastWriteTimeUtc));

        TextToImageTransformer Fit(string run, bool resume, CancellationToken stop, IProgress<RunProgress>? progress) => Fine(
            TinyCaptions.Options(
                _dalle, o => (o.CancellationToken, o.RunProgress) = (stop, progress),
                t => t with { OutputDirectory = _folder[run], CheckpointSteps = 2, Resume = resume }), data);
    }

    [Fact]
    public void All_weights_are_trained_on_request_a_loaded_model_stays_and_a_stopped_run_is_kept()
    {
        var data = Load(TinyCaptions.Rows(4));
        using var first = Plain(new(), data);
        var before = first.Network.ComputeFingerprint();
        using var stop = new CancellationTokenSource();
        using var second = Fine(TinyCaptions.Options(PretrainedModels.Shapes, o =>
        {
            (o.BaseModel, o.AllWeights, o.ValidationFraction, o.StopAndKeep) = (first, true, 0, stop.Token);
            o.RunProgress = new Callback(report => { if (report.Step == 2) stop.Cancel(); });
        }), data);

        Assert.Equal(before, first.Network.ComputeFingerprint());
        Assert.NotEqual(before, second.Network.ComputeFingerprint());
        Assert.Equal((2, true), (second.TextToImageResult!.Steps, second.TextToImageResult.StoppedOnRequest));
        Assert.Null(second.TextToImageResult.ValidationLoss);
    }

    [Fact]
    public void Rows_of_new_words_are_trained_beside_adapters()
    {
        var data = Load(TinyCaptions.Rows(4));
        using var tuned = Fine(TinyCaptions.Options(_dalle, o => o.TrainedWords = ["square"]), data);
        using var before = Torch.Networks.GenerativeNetwork.Load(_dalle);
        var table = before.CheckpointTensors().Single(t => t.Key.EndsWith("text_emb.weight", StringComparison.Ordinal));
        var after = tuned.Network.CheckpointTensors().Single(t => t.Key == table.Key).Value;
        using var changed = (after - table.Value).abs().sum([1]).gt(0).nonzero();
        var word = Assert.Single(tuned.Tokenizer!.Encode("square"));
        Assert.Equal([word], changed.data<long>().ToArray());
    }

    [Fact]
    public void Codes_are_evaluated_with_the_captions_of_training_and_pictures_are_compared()
    {
        var data = Load(TinyCaptions.Rows());
        using var model = Fine(TinyCaptions.Options(_dalle, o => o.ValidationData = data), data);

        var measured = _ml.Generation.EvaluateImageCodes(model, data, "Image", TestContext.Current.CancellationToken);

        Assert.Equal(model.TextToImageResult!.ValidationLoss!.Value, measured.Loss, 1e-4);
        Assert.Contains("loss_image", measured.Parts.Keys);
        var extractor = new DelegateFeatureExtractor(images => images.mean([2, 3]));
        var distances = _ml.Generation.Evaluate(model, data, "Image", extractor, count: 6);
        Assert.True(distances.FrechetDistance is > 0 and < 100);
        Assert.Equal(5, _ml.Generation.EvaluateMemorization(model, data, "Image", count: 5).Images.Count);
    }

    [Fact]
    public void Data_is_described_and_memory_estimated_before_training()
    {
        var rows = TinyCaptions.Rows(4);
        rows[1].Caption = " ";
        rows[2].Image = rows[3].Image;
        var options = TinyCaptions.Options(_dalle, o => o.Training = TinyCaptions.Training with { MemoryLimit = 1 });
        var estimator = _ml.Transforms.FineTuneImageGenerator("Picture", "Caption", "Image", options);

        var report = estimator.DescribeTrainingData(Load(rows));
        Assert.Equal((4, 16, 3), (report.Images, report.Resolution, report.Channels));
        Assert.Equal((1L, 1), (report.DuplicateImages, report.ImagesWithoutText));
        Assert.Contains("1 without a caption", report.ToString(), StringComparison.Ordinal);
        Assert.True(_ml.Generation.EstimateMemory(options).Activations > 0);
        Assert.Contains("MemoryLimit = long.MaxValue trains anyway", Assert.Throws<InsufficientMemoryException>(
            () => estimator.Fit(Load(rows))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        var data = Load(TinyCaptions.Rows(4));
        Refuses<ArgumentException>("Nothing", () => _ml.Transforms.GenerateImages("Picture", "Nothing", _dalle).Fit(data));
        Refuses<ArgumentException>("text, or an image", () => _ml.Transforms.GenerateImages("Picture", "Number", _dalle).Fit(data));
        Refuses<ArgumentException>("Caption", () => _ml.Transforms.GenerateImages(
            "Picture", "Image", _dalle, new() { CaptionColumnName = "Captions" }).Fit(data));
        Refuses<ArgumentException>("Truncation", () => Plain(new() { Truncation = 0.5 }, data));
        Refuses<ArgumentException>("TextToImage.Seed", () => Plain(new() { TextToImage = new() { Seed = 3 } }, data));
        Refuses<ArgumentException>("CodecFolder", () => Plain(new() { CodecFolder = _dalle }, data));
        Refuses<ArgumentException>("TextToImageTrainingOptions", () => Fine(TinyCaptions.Options(
            _dalle, o => o.Training = new Torch.Training.Adversarial.AdversarialTrainingOptions()), data));
        Refuses<ArgumentException>("RunProgress", () => Fine(TinyCaptions.Options(
            _dalle, o => o.Progress = new Progress<Torch.Training.Adversarial.StyleGan2Progress>()), data));
        Refuses<ArgumentException>("AllWeights", () => Fine(TinyCaptions.Options(
            _dalle, o => (o.AllWeights, o.TrainedWords) = (true, ["a"])), data));
        Refuses<ArgumentException>("makes no pictures", () => _ml.Transforms.GenerateImages(
            "Picture", "Caption", TestData.TinyModel).Fit(data));

        var stylegan = TinyGenerator.Save(_folder);
        Refuses<ArgumentException>("CaptionColumnName", () => _ml.Transforms.GenerateImages(
            "Picture", "Number", stylegan, new() { CaptionColumnName = "Caption" }).Fit(data));
        Refuses<ArgumentException>("Lora", () => _ml.Transforms.FineTuneImageGenerator("Picture", "Number", "Image",
            TinyGenerator.Options(stylegan, o => o.Lora = new())).Fit(data));

        var larger = _ml.Transforms.ResizeImages("Image", 32, 32).Fit(data).Transform(data);
        Refuses<ArgumentException>("Put ResizeImages in front", () => Fine(TinyCaptions.Options(_dalle), larger));
        var missing = TinyCaptions.Rows(4);
        missing[2].Image = null;
        Refuses<InvalidOperationException>("Row 2", () => Fine(TinyCaptions.Options(_dalle), Load(missing)));
        Refuses<ArgumentException>("no rows", () => Fine(TinyCaptions.Options(_dalle), Load([])));
        foreach (var path in Directory.GetFiles(_dalle, "tokenizer*"))
            File.Delete(path);
        Refuses<ArgumentException>("no tokenizer", () => Plain(new(), data));

        static void Refuses<T>(string reason, Func<object?> act)
            where T : Exception => Assert.Contains(reason, Assert.Throws<T>(act).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_DALL_E_mini_draws_captions_and_needs_the_encoder_of_its_codec_to_learn()
    {
        var data = Load(TinyCaptions.Rows(2));
        var mini = RepositoryFiles.Data("images/min-dalle-tiny");
        using var model = _ml.Transforms.GenerateImages("Picture", "Caption", mini).Fit(data);
        Assert.Equal(2, TinyGenerator.Pixels(model.Transform(data)).Distinct().Count());
        var message = Assert.Throws<ArgumentException>(() => _ml.Transforms.FineTuneImageGenerator(
            "Picture", "Caption", "Image", new() { PretrainedModel = mini }).Fit(
                _ml.Transforms.ResizeImages("Image", 8, 8).Fit(data).Transform(data))).Message;
        Assert.Contains("CodecFolder", message, StringComparison.Ordinal);
    }

    private IDataView Load(IEnumerable<CaptionedRow> rows) => _ml.Data.LoadFromEnumerable(rows);

    private TextToImageTransformer Plain(GenerateImagesOptions options, IDataView data) =>
        (TextToImageTransformer)_ml.Transforms.GenerateImages("Picture", "Caption", _dalle, options).Fit(data);

    private TextToImageTransformer Fine(ImageGeneratorOptions options, IDataView data) =>
        (TextToImageTransformer)_ml.Transforms.FineTuneImageGenerator("Picture", "Caption", "Image", options).Fit(data);

    private sealed class Callback(Action<RunProgress> report) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => report(value);
    }
}
