using MLTransfer.Tests.Images;
using MLTransfer.Tests.Networks;
using MLTransfer.Tests.Text;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>The training options that estimators hold.</summary>
public sealed class TrainingKindTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_wrong_kind_of_training_is_refused_before_a_row_is_read()
    {
        var rows = new CountingDataView(_ml.Data.LoadFromEnumerable(Drawings.Make(4)));
        var model = TinyGenerator.Save(_folder);
        foreach (var training in (TrainingOptions[])[new LanguageTrainingOptions(), new ModuleTrainingOptions()])
        {
            var options = TinyGenerator.Options(model, o => o.Training = training);

            var message = Assert.Throws<ArgumentException>(
                () => _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", options).Fit(rows)).Message;

            Assert.All(
                (string[])[training.GetType().Name, nameof(AdversarialTrainingOptions), model], part =>
                    Assert.Contains(part, message, StringComparison.Ordinal));
        }

        Assert.Equal(0, rows.RowsRead);
    }

    [Fact]
    public void No_training_options_are_the_defaults_of_the_network()
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(4));
        var steps = 0;
        using var cancellation = new CancellationTokenSource();
        var progress = new Stopping(report =>
        {
            steps = report.TotalSteps;
            cancellation.Cancel();
        });
        var options = TinyGenerator.Options(
            TinyGenerator.Save(_folder), o => (o.Training, o.Progress, o.CancellationToken) = (null, progress, cancellation.Token));

        Assert.Throws<OperationCanceledException>(
            () => _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", options).Fit(data));

        var standard = new AdversarialTrainingOptions();
        Assert.Equal(standard.TotalImages / standard.BatchSize, steps);
    }

    [Fact]
    public void A_seed_of_the_training_options_is_refused_because_the_estimators_own_decides()
    {
        string[] messages =
        [
            Assert.Throws<ArgumentException>(() => _ml.Transforms.Text.FineTuneTextGenerator(
                "Out", "In", "Text", new TextGeneratorOptions { Training = new LanguageTrainingOptions { Seed = 3 } })).Message,
            Assert.Throws<ArgumentException>(() => _ml.Transforms.FineTuneImageGenerator(
                "Out", "In", "Image", new ImageGeneratorOptions { Training = new AdversarialTrainingOptions { Seed = 3 } })).Message,
            Assert.Throws<ArgumentException>(() => _ml.Transforms.FineTuneAudioGenerator("Out", "In", "Sound", new AudioGeneratorOptions
            {
                PretrainedModel = "any", Training = new SpeechTrainingOptions { Seed = 3 },
            })).Message,
            Assert.Throws<ArgumentException>(() => _ml.Transforms.FineTuneTorchModule("Out", "In", "Label", new TorchModuleOptions
            {
                NewLayers = [Layer.Dense(1)], Training = new ModuleTrainingOptions { Seed = 3 },
            })).Message,
        ];

        Assert.All(messages, message => Assert.Contains("Training.Seed is 3", message, StringComparison.Ordinal));
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.Text.FineTuneTextGenerator(
            "Out", "In", "Text", TextGeneratorPipelineTests.Tiny(o => o.Training = null!)));
    }

    private sealed class Stopping(Action<StyleGan2Progress> report) : IProgress<StyleGan2Progress>
    {
        public void Report(StyleGan2Progress value) => report(value);
    }
}
