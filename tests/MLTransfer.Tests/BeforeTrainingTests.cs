using MLTransfer.Tests.Audio;
using MLTransfer.Tests.Images;
using MLTransfer.Tests.Networks;
using MLTransfer.Tests.Text;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>What estimators tell before they train: what is in the data, and what memory it takes.</summary>
public sealed class BeforeTrainingTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _messages = [];

    public BeforeTrainingTests() => _ml.Log += (_, entry) => _messages.Add(entry.Message);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Texts_are_counted_and_the_counts_are_logged_before_the_first_step()
    {
        const string text = "the old man looked at the red planet";
        Story[] stories = [new() { Text = text }, new() { Text = "" }, new() { Text = text }, new() { Text = "and the planet" }];
        var options = TextGeneratorPipelineTests.Tiny(
            o => (o.MaximumLength, o.ValidationFraction, o.Progress) = (8, 0, new FirstStep(_messages)));
        var estimator = _ml.Transforms.Text.FineTuneTextGenerator("Out", "Text", options: options);
        var data = _ml.Data.LoadFromEnumerable(stories);

        var report = estimator.DescribeTrainingData(data);
        using var model = estimator.Fit(data);

        var tokenizer = model.Model.Tokenizer;
        var lengths = stories.Where(story => story.Text != "").Select(story => tokenizer.Encode(story.Text!).Length + 1).ToList();
        Assert.Equal((3, 1, 1), (report.Texts, report.EmptyTexts, report.DuplicateTexts));
        Assert.Equal((lengths.Count(length => length > 8), 8), (report.CutTexts, report.MaximumLength));
        Assert.InRange(report.CutTexts, 2, 3);
        Assert.Equal(lengths.Sum(length => (length + 7) / 8), report.Rows + lengths.Count(length => length % 8 == 1));
        Assert.Equal(lengths.Sum() - lengths.Count(length => length % 8 == 1), report.Tokens);
        Assert.Equal((0L, 0), (report.UnknownTokens, report.EvaluationRows));
        var logged = _messages.FindIndex(message => message.Contains($"Training data: {report}. Memory: ", StringComparison.Ordinal));
        Assert.InRange(logged, 0, _messages.IndexOf(FirstStep.Message));
    }

    [Fact]
    public void Prompts_count_for_duplicates_and_for_what_is_cut()
    {
        PromptRow[] rows =
        [
            new() { Prompt = "a", Completion = " planet" }, new() { Prompt = "the man", Completion = " planet" },
            new() { Prompt = "a", Completion = " planet" },
            new() { Prompt = string.Concat(Enumerable.Repeat("the ", 80)), Completion = " man" },
        ];
        var options = TextGeneratorPipelineTests.Tiny(o => (o.CompletionColumnName, o.MaximumLength) = ("Completion", 32));

        var report = _ml.Transforms.Text.FineTuneTextGenerator("Out", "Prompt", options: options)
            .DescribeTrainingData(_ml.Data.LoadFromEnumerable(rows));

        Assert.Equal((4, 1, 1), (report.Texts, report.DuplicateTexts, report.CutTexts));
    }

    [Fact]
    public void Images_are_counted_by_label_and_the_counts_are_logged()
    {
        var drawings = Drawings.Make(6);
        drawings.Add(drawings[0]);
        var data = _ml.Transforms.Conversion.MapValueToKey("Key", "Class").Append(_ml.Transforms.Conversion.MapKeyToVector("Kind", "Key"))
            .Fit(_ml.Data.LoadFromEnumerable(drawings)).Transform(_ml.Data.LoadFromEnumerable(drawings));
        var classes = drawings.Select(drawing => drawing.Class).Distinct().ToList();
        var options = TinyGenerator.Options(TinyGenerator.Save(_folder, classes.Count), o => o.LabelColumnName = "Kind");
        var estimator = _ml.Transforms.FineTuneImageGenerator("Picture", null, "Image", options);

        var report = estimator.DescribeTrainingData(data);
        using var model = estimator.Fit(data);

        Assert.Equal((7, Drawings.Size, 3, 1L), (report.Images, report.Resolution, report.Channels, report.DuplicateImages));
        Assert.Equal(classes.Select(name => drawings.Count(drawing => drawing.Class == name)), report.ImagesByLabel);
        Assert.Contains(_messages, message => message.Contains($"Training data: {report}. Memory: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Values_that_are_not_finite_are_counted_where_training_refuses_them()
    {
        var drawings = Drawings.Make(5);
        drawings[1].Place = [float.NaN, 0.5f];
        drawings[3].Label = [float.PositiveInfinity, 0, float.NaN];
        var estimator = _ml.Transforms.FineTuneTorchModule(
            "Colour", "Place", "Label", new TorchModuleOptions { NewLayers = [Layer.Dense(3)] });
        var data = _ml.Data.LoadFromEnumerable(drawings);

        Assert.Equal(new NetworkDataReport(5, 2, 3, 3, 2), estimator.DescribeTrainingData(data));
        Assert.Contains("Row 1", Assert.Throws<InvalidOperationException>(() => estimator.Fit(data)).Message, StringComparison.Ordinal);

        using var model = estimator.Fit(_ml.Data.LoadFromEnumerable(Drawings.Make(5)));
        Assert.Contains(_messages, message => message.Contains("0 values of 0 rows are not finite. Memory: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_estimator_refuses_what_is_above_the_limit_before_a_step()
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(4));
        var text = TextGeneratorPipelineTests.Tiny(o => o.Training = o.Training with { MemoryLimit = 1 });
        var images = TinyGenerator.Options(TinyGenerator.Save(_folder), training: training => training with { MemoryLimit = 1 });
        var network = new TorchModuleOptions { NewLayers = [Layer.Dense(3)], Training = new() { MemoryLimit = 1 } };
        var tunes = _ml.Data.LoadFromEnumerable(TinyAudio.Tunes(2));
        Action[] fits =
        [
            () => _ml.Transforms.FineTuneAudioGenerator("Out", null, "Sound", TinyAudio.MusicOptions(
                training: training => training with { MemoryLimit = 1 })).Fit(tunes),
            () => _ml.Transforms.FineTuneAudioGenerator("Out", "Opening", "Sound", TinyAudio.SpeechOptions(
                o => (o.SpeakerColumnName, o.PretrainedModel, o.Training) =
                    (null, TinyAudio.Voice, TinyAudio.SpeechTraining with { MemoryLimit = 1 })))
                .Fit(_ml.Data.LoadFromEnumerable(TinyAudio.Words(2))),
            () => _ml.Transforms.Text.FineTuneTextGenerator("Out", "Class", options: text).Fit(data),
            () => _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", images).Fit(data),
            () => _ml.Transforms.FineTuneImageGenerator("Picture", "Class", "Image", TinyCaptions.Options(
                TinyCaptions.Save(_folder["dalle"]), training: training => training with { MemoryLimit = 1 })).Fit(data),
            () => _ml.Transforms.FineTuneTorchModule("Colour", "Place", "Label", network).Fit(data),
        ];

        Assert.All(fits, fit =>
        {
            var message = Assert.Throws<InsufficientMemoryException>(fit).Message;
            Assert.Contains("MemoryLimit = long.MaxValue trains anyway", message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void An_estimate_needs_options_alone_and_is_that_of_the_training()
    {
        var options = TextGeneratorPipelineTests.Tiny(o => o.Training = o.Training with { Precision = Precision.Float32, BatchSize = 2 });

        var estimate = _ml.Generation.EstimateMemory(options);
        var adapters = _ml.Generation.EstimateMemory(
            new TextGeneratorOptions { PretrainedModel = options.PretrainedModel, Lora = new(), Training = options.Training });
        var images = _ml.Generation.EstimateMemory(new ImageGeneratorOptions());

        using var model = TextGenerationModel.Load(options.PretrainedModel);
        Assert.Equal(
            TrainingMemory.Estimate(model.Network, options.Training, options.MaximumLength ?? model.Network.ContextLength).Activations,
            estimate.Activations);
        Assert.True(adapters.Optimizer < estimate.Optimizer / 10);
        Assert.True(images.Total > images.Runtime);
        Assert.Contains(_messages, message => message.Contains($"Training takes about {estimate}.", StringComparison.Ordinal));
    }

    private sealed class FirstStep(List<string> messages) : IProgress<TrainingProgress>
    {
        public const string Message = "the first report";

        public void Report(TrainingProgress value) => messages.Add(Message);
    }
}
