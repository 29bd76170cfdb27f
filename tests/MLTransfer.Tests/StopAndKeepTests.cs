using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Tests.Audio;
using MLTransfer.Tests.Images;
using MLTransfer.Tests.Networks;
using MLTransfer.Tests.Text;
using MLTransfer.Torch.Networks.Described;
using Xunit;

namespace MLTransfer.Tests;

/// <summary>Fitting that is asked to end gives its transformer, and fitting that is cancelled says what is kept.</summary>
public sealed class StopAndKeepTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _source = new();
    private readonly List<string> _messages = [];

    public StopAndKeepTests() => _ml.Log += (_, message) => _messages.Add(message.Message);

    public void Dispose()
    {
        _source.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_text_generator_is_returned_with_what_it_has_learned()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(8));
        TextGeneratorTransformer Fit(bool resume, CancellationToken stop) => _ml.Transforms.Text.FineTuneTextGenerator(
            "Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny(o =>
            {
                o.Training = o.Training with
                {
                    MaximumSteps = 50, OutputDirectory = _folder["run"], CheckpointSteps = 20, EvaluationSteps = 20, Resume = resume,
                };
                o.Progress = new At<Torch.Training.Language.TrainingProgress>(report => report.Step == (resume ? 5 : 3), _source);
                o.StopAndKeep = stop;
            })).Fit(data);

        using var stopped = Fit(resume: false, _source.Token);

        var result = Assert.IsType<Torch.Training.Language.TrainingResult>(stopped.TrainingResult);
        Assert.Equal((3, true), (result.Steps, result.StoppedOnRequest));
        Assert.NotNull(result.ValidationLoss);
        Assert.Equal(8, stopped.Transform(data).GetColumn<string>("Out").Count());
        Assert.Contains(_messages, message => message.Contains("Stopped after step 3", StringComparison.Ordinal));
        Assert.True(Directory.Exists(_folder["run/checkpoint-3"]));

        using var resumed = Fit(resume: true, new CancellationToken(canceled: true)); // one step is made in any case
        Assert.Equal([4, 4], resumed.TrainingResult!.History.Select(report => report.Step));
    }

    [Fact]
    public void An_image_generator_is_returned_with_what_it_has_learned()
    {
        var options = TinyGenerator.Options(TinyGenerator.Save(_folder), o =>
        {
            o.Progress = new At<Torch.Training.Adversarial.StyleGan2Progress>(report => report.Step == 2, _source);
            o.StopAndKeep = _source.Token;
        });
        using var stopped = _ml.Transforms.FineTuneImageGenerator("Picture", "Seed", "Image", options)
            .Fit(_ml.Data.LoadFromEnumerable(Drawings.Make(8)));

        Assert.Equal((2, true), (stopped.TrainingResult!.Steps, stopped.TrainingResult.StoppedOnRequest));
        Assert.Equal(3, TinyGenerator.Pixels(stopped.Transform(TinyGenerator.Seeds(_ml, 3))).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_audio_generator_is_returned_with_what_it_has_learned(bool isSpeech)
    {
        var data = _ml.Data.LoadFromEnumerable(isSpeech ? TinyAudio.Words(4) : TinyAudio.Tunes(4));
        Action<AudioGeneratorOptions> stop = o =>
        {
            o.Training = isSpeech ? TinyAudio.SpeechTraining with { MaximumSteps = 9 } : TinyAudio.MusicTraining with { MaximumSteps = 9 };
            o.Progress = new At<Torch.Training.RunProgress>(report => report.Step == 2, _source);
            o.StopAndKeep = _source.Token;
        };
        using var stopped = _ml.Transforms.FineTuneAudioGenerator(
            "Made", "Opening", "Sound", isSpeech ? TinyAudio.SpeechOptions(stop) : TinyAudio.MusicOptions(stop)).Fit(data);

        Assert.Equal((2, true), (stopped.TrainingResult!.Steps, stopped.TrainingResult.StoppedOnRequest));
        Assert.Equal(4, TinyAudio.Samples(stopped.Transform(data)).Count);
        Assert.Contains(_messages, message => message.Contains("Stopped after step 2", StringComparison.Ordinal));
    }

    [Fact]
    public void A_network_is_returned_with_what_it_has_learned_and_its_file_says_so()
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(12));
        using var stopped = _ml.Transforms.FineTuneTorchModule("Colour", "Label", "Place", new TorchModuleOptions
        {
            NewLayers = [Layer.Dense(2)], Training = new() { NumberOfEpochs = 50 }, StopAndKeep = _source.Token,
            Progress = new At<Torch.Training.Described.EpochResult>(epoch => epoch.Epoch == 2, _source),
        }).Fit(data);
        _ml.Model.Save(stopped, data.Schema, _folder["model.zip"]);
        using var loaded = (TorchModuleTransformer)_ml.Model.Load(_folder["model.zip"], out _);

        Assert.All((TorchModuleTransformer[])[stopped, loaded], transformer =>
        {
            Assert.True(transformer.History.StoppedOnRequest);
            Assert.Equal(2, transformer.History.Epochs.Count);
        });
        Assert.Equal(12, stopped.Transform(data).GetColumn<float[]>("Colour").Count());
    }

    [Fact]
    public void A_cancelled_Fit_says_the_step_and_the_folder()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(8));
        var estimator = _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny(o =>
        {
            o.Training = o.Training with { MaximumSteps = 6, OutputDirectory = _folder["run"], CheckpointSteps = 2 };
            o.Progress = new At<Torch.Training.Language.TrainingProgress>(report => report.Step == 5, _source);
            o.CancellationToken = _source.Token;
        }));

        var exception = Assert.Throws<OperationCanceledException>(() => estimator.Fit(data));

        Assert.Equal(_source.Token, exception.CancellationToken);
        Assert.Contains("after step 5 of 6", exception.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder["run"], "checkpoint-4"), exception.Message, StringComparison.Ordinal);
    }

    private sealed class At<T>(Func<T, bool> isNow, CancellationTokenSource source) : IProgress<T>
    {
        public void Report(T value)
        {
            if (isNow(value))
                source.Cancel();
        }
    }
}
