using System.Text.Json.Nodes;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Adversarial;

[Collection(ProcessWideState.Name)]
public sealed class StyleGan2TrainerTests : IDisposable
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private readonly TemporaryFolder _folders = new();
    private readonly ImageSet _images = TinyImages.Create();

    public void Dispose()
    {
        _folders.Dispose();
        _images.Dispose();
    }

    [Theory]
    [InlineData(5, Precision.Auto)] // between two checkpoints
    [InlineData(4, Precision.Auto)] // at one
    [InlineData(1, Precision.Auto)] // before the first
    [InlineData(5, Precision.Float32)]
    [InlineData(5, Precision.BFloat16)]
    public void A_cancelled_and_resumed_run_ends_with_the_same_bits(int cancelledAt, Precision precision)
    {
        using var whole = TinyImages.CreateModel();
        Train(whole, TinyImages.Options(_folders["whole"], precision: precision));

        using var interrupted = TinyImages.CreateModel();
        var start = TinyImages.Bytes(interrupted);
        Cancel(interrupted, TinyImages.Options(_folders["interrupted"], precision: precision), cancelledAt);
        if (cancelledAt == 1)
            Assert.Equal(start, TinyImages.Bytes(interrupted));
        else
            AssertSameFiles(_folders["interrupted/checkpoint-4"], interrupted);
        Assert.Equal(cancelledAt == 1 ? 0 : 4, Metrics(_folders["interrupted"]).Count);

        using var resumed = TinyImages.CreateModel();
        var result = Train(resumed, TinyImages.Options(_folders["interrupted"], resume: true, precision));
        Assert.Equal(TinyImages.Bytes(whole), TinyImages.Bytes(resumed));
        Assert.Equal(cancelledAt == 1 ? TinyImages.Steps : 2, result.History.Count);
        Assert.Equal(
            Metrics(_folders["whole"]).Select(line => line["generator_loss"]!.GetValue<double>()),
            Metrics(_folders["interrupted"]).Select(line => line["generator_loss"]!.GetValue<double>()));
    }

    [Fact]
    public void A_run_writes_grids_metrics_a_plot_and_checkpoints_up_to_the_limit()
    {
        using var model = TinyImages.CreateModel();
        var options = new AdversarialTrainingOptions
        {
            TotalImages = 22, // six steps of four
            BatchSize = 4,
            OutputDirectory = _folders.Path,
            CheckpointImages = 8,
            CheckpointLimit = 2,
            SampleImages = 12,
            SampleCount = 5,
            EvaluationImages = 16,
            EvaluationCount = 8,
        };
        using var frozen = TinyImages.CreateModel();
        var result = new StyleGan2Trainer(model, options, _images, new DiscriminatorFeatureExtractor(frozen.Discriminator))
            .Train(cancellationToken: TestCancellation);
        Assert.Equal(
            ["answers.jsonl", "checkpoint-4", "checkpoint-6", "loss.png", "metrics.jsonl", "run.html", "samples-0000000.png",
                "samples-0000012.png", "samples-0000024.png"],
            Directory.GetFileSystemEntries(_folders.Path).Select(Path.GetFileName).Order());
        var lines = Metrics(_folders.Path);
        Assert.Equal([1, 2, 3, 4, 5, 6], lines.Select(line => line["step"]!.GetValue<int>()));
        Assert.Equal([4, 6], lines.Where(line => line["frechet_distance"] is not null).Select(line => line["step"]!.GetValue<int>()));
        Assert.Equal(lines[^1]["frechet_distance"]!.GetValue<double>(), result.FrechetDistance);
        Assert.Equal(24, result.Images);
        using var picture = SkiaSharp.SKBitmap.Decode(_folders["samples-0000012.png"]);
        Assert.Equal((4 * 16, 2 * 16), (picture.Width, picture.Height));
        using var loaded = StyleGan2Model.Load(_folders["checkpoint-6"]); // a checkpoint is a model's folder
        Assert.Equal(TinyImages.Bytes(model), TinyImages.Bytes(loaded));
    }

    [Fact]
    public void Steps_leave_no_tensors_behind()
    {
        using var model = TinyImages.CreateModel();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var counts = new List<long>();
        new StyleGan2Trainer(model, TinyImages.Options(folder: null), _images).Train(
            new Callback(_ => counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount)), TestCancellation);
        Assert.Equal(TinyImages.Steps, counts.Count);
        Assert.All(counts, count => Assert.Equal(counts[0], count));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void What_is_frozen_stays_and_all_else_is_trained()
    {
        using var model = TinyImages.CreateModel();
        var before = TinyImages.Bytes(model);
        Train(model, new AdversarialTrainingOptions
        {
            TotalImages = 8, BatchSize = 4, FreezeMapping = true, FrozenSynthesisBlocks = 1, FrozenDiscriminatorBlocks = 1,
        });
        var changed = TinyImages.Bytes(model).Where(t => !t.Value.AsSpan().SequenceEqual(before[t.Key])).Select(t => t.Key).ToList();
        Assert.DoesNotContain(changed, name => name.StartsWith("0.mapping.", StringComparison.Ordinal));
        Assert.DoesNotContain(changed, name => name.StartsWith("0.synthesis.b4.", StringComparison.Ordinal));
        Assert.DoesNotContain(changed, name => name.StartsWith("1.b16.", StringComparison.Ordinal));
        Assert.Contains("0.synthesis.b16.conv1.weight", changed);
        Assert.Contains("1.b8.conv0.weight", changed);
        Assert.All(model.Generator.parameters().Concat(model.Discriminator.parameters()), parameter =>
        {
            Assert.True(parameter.requires_grad);
            Assert.Null(parameter.grad);
        });
    }

    [Fact]
    public void Labels_are_trained_with()
    {
        manual_seed(5);
        using var model = StyleGan2Model.Create(
            StyleGan2Model.Configure(16, channelBase: 128, channelMaximum: 16, latentWidth: 16, mappingLayers: 2, labelWidth: 2));
        using var labels = nn.functional.one_hot(arange(10) % 2, 2).to(ScalarType.Float32);
        using var images = new ImageSet(_images.Pixels, labels);
        var before = TinyImages.Bytes(model);
        var result = Train(model, new AdversarialTrainingOptions { TotalImages = 8, BatchSize = 4 }, images);
        Assert.NotEqual(before["0.mapping.embed.weight"], TinyImages.Bytes(model)["0.mapping.embed.weight"]);
        Assert.All(result.History, report => Assert.True(double.IsFinite(report.DiscriminatorLoss!.Value)));
        Assert.Contains("labels", Assert.Throws<ArgumentException>(() => new StyleGan2Trainer(model, new(), _images)).Message);
    }

    [Fact]
    public void Bfloat16_features_give_nearly_the_same_first_losses()
    {
        StyleGan2Progress First(Precision precision)
        {
            using var model = TinyImages.CreateModel();
            return Train(model, new AdversarialTrainingOptions { TotalImages = 4, BatchSize = 4, Precision = precision }).History[0];
        }

        var (expected, actual) = (First(Precision.Float32), First(Precision.BFloat16));
        Assert.Equal(expected.GeneratorLoss!.Value, actual.GeneratorLoss!.Value, 0.05);
        Assert.Equal(expected.DiscriminatorLoss!.Value, actual.DiscriminatorLoss!.Value, 0.1);
        Assert.NotEqual(expected.GeneratorLoss, actual.GeneratorLoss);
    }

    [Fact]
    public void By_default_the_processor_decides_on_the_number_format()
    {
        using var model = TinyImages.CreateModel();
        var expected = ProcessorFeatures.HasBFloat16Products ? Precision.BFloat16 : Precision.Float32;
        Assert.Equal(expected, new StyleGan2Trainer(model, new(), _images).Precision);
        Assert.Equal(Precision.Float32, new StyleGan2Trainer(model, new() { Precision = Precision.Float32 }, _images).Precision);
    }

    [Fact]
    public void A_loss_that_is_not_finite_ends_the_run_with_the_weights_of_the_start()
    {
        using var model = TinyImages.CreateModel();
        var before = TinyImages.Bytes(model);
        var exception = Assert.Throws<TrainingDivergedException>(
            () => Train(model, new AdversarialTrainingOptions { TotalImages = 400, BatchSize = 4, LearningRate = 1e30 }));
        Assert.Contains("loss", exception.Message);
        Assert.Equal(before, TinyImages.Bytes(model));
    }

    [Fact]
    public void Other_images_or_options_are_not_resumed()
    {
        using var model = TinyImages.CreateModel();
        Train(model, TinyImages.Options(_folders.Path));
        using var others = TinyImages.Create(9);
        Assert.Contains("checkpoint-6", Assert.Throws<InvalidDataException>(
            () => Train(model, TinyImages.Options(_folders.Path, resume: true), others)).Message);
        Assert.Equal(TinyImages.Steps, Train(model, TinyImages.Options(_folders.Path, resume: true)).Steps);
    }

    [Theory]
    [InlineData("trained-generator.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("discriminator.safetensors")]
    public void A_truncated_file_of_a_checkpoint_is_refused_by_name_and_changes_nothing(string file)
    {
        using var model = TinyImages.CreateModel();
        Cancel(model, TinyImages.Options(_folders.Path), at: 3);
        using (var stream = File.OpenWrite(_folders["checkpoint-2/" + file]))
            stream.SetLength(stream.Length / 2);
        using var resumed = TinyImages.CreateModel();
        var before = TinyImages.Bytes(resumed);
        Assert.Contains(
            file, Assert.Throws<InvalidDataException>(() => Train(resumed, TinyImages.Options(_folders.Path, resume: true))).Message);
        Assert.Equal(before, TinyImages.Bytes(resumed));
    }

    [Fact]
    public void Images_and_options_that_do_not_fit_are_refused_before_anything_starts()
    {
        using var scope = NewDisposeScope();
        using var model = TinyImages.CreateModel();
        using var large = new ImageSet(zeros([2, 3, 32, 32], ScalarType.Byte));
        Assert.Contains("32x32", Assert.Throws<ArgumentException>(() => new StyleGan2Trainer(model, new(), large)).Message);
        Assert.Contains("multiple of 4", Refusal(new() { BatchSize = 6 }));
        Assert.Contains("FrozenSynthesisBlocks", Refusal(new() { FrozenSynthesisBlocks = 3 }));
        Assert.Contains("EvaluationImages", Refusal(new() { EvaluationImages = 4 }));
        Assert.Contains("OutputDirectory", Refusal(new() { SampleImages = 4 }));
        Assert.Contains("Augmentations", Refusal(new() { Augmentations = (AugmentationGroups)8 }));
        Assert.Contains("StyleMixingProbability", Refusal(new() { StyleMixingProbability = double.NaN }));
        Assert.Contains("[2, 3, 4, 5]", Assert.Throws<ArgumentException>(() => new ImageSet(zeros([2, 3, 4, 5], ScalarType.Byte))).Message);

        string Refusal(AdversarialTrainingOptions options) =>
            Assert.ThrowsAny<ArgumentException>(() => new StyleGan2Trainer(model, options, _images)).Message;
    }

    private static List<JsonNode> Metrics(string folder)
    {
        var path = Path.Combine(folder, "metrics.jsonl");
        return File.Exists(path) ? [.. File.ReadLines(path).Select(line => JsonNode.Parse(line)!)] : [];
    }

    private static void AssertSameFiles(string folder, StyleGan2Model model)
    {
        using var stored = StyleGan2Model.Load(folder);
        Assert.Equal(TinyImages.Bytes(stored), TinyImages.Bytes(model));
    }

    private StyleGan2TrainingResult Train(StyleGan2Model model, AdversarialTrainingOptions options, ImageSet? images = null) =>
        new StyleGan2Trainer(model, options, images ?? _images).Train(cancellationToken: TestCancellation);

    private void Cancel(StyleGan2Model model, AdversarialTrainingOptions options, int at)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        Assert.Throws<OperationCanceledException>(() => new StyleGan2Trainer(model, options, _images).Train(
            new Callback(report =>
            {
                if (report.Step == at)
                    source.Cancel();
            }),
            source.Token));
    }

    private sealed class Callback(Action<StyleGan2Progress> action) : IProgress<StyleGan2Progress>
    {
        public void Report(StyleGan2Progress value) => action(value);
    }
}
