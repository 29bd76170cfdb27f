using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Tests.Training.Adversarial;
using MLTransfer.Torch.Tests.Training.Described;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>A run that is asked to end keeps what it has learned, and one that is cancelled says what is kept.</summary>
[Collection(ProcessWideState.Name)]
public sealed class StopAndKeepTests : IDisposable
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);

    public void Dispose()
    {
        _folder.Dispose();
        _stop.Dispose();
    }

    [Theory]
    [InlineData(TinyRunKind.Improving, 7, 7)] // between two evaluations and checkpoints; the weights of now are the best
    [InlineData(TinyRunKind.Worsening, 10, 0)] // earlier ones are
    internal void A_language_model_ends_evaluated_with_the_weights_that_the_options_keep_and_the_run_goes_on(
        TinyRunKind kind, int at, int modelStep)
    {
        using var whole = TinyRun.CreateModel(kind);
        TinyRun.Create(whole, kind, _folder["whole"]).Train(cancellationToken: TestCancellation);

        using var model = TinyRun.CreateModel(kind);
        var reported = new Dictionary<int, IReadOnlyDictionary<string, byte[]>>();
        var result = TinyRun.Create(model, kind, _folder["stopped"]).Train(
            new ProgressCallback(report =>
            {
                reported[report.Step] = WeightBytes.Of(model);
                if (report.Step == at)
                    _stop.Cancel();
            }),
            TestCancellation, _stop.Token);

        Assert.Equal((at, true, false), (result.Steps, result.StoppedOnRequest, result.StoppedEarly));
        Assert.True(modelStep == 0 ? result.ModelStep < at : result.ModelStep == modelStep, $"{result.ModelStep}");
        WeightBytes.AssertEqual(reported[result.ModelStep], model);
        Assert.Equal((at, true), (result.History[^1].Step, result.History[^1].ValidationLoss is not null));
        Assert.Equal(
            result.ValidationLoss!.Value,
            Evaluator.Evaluate(
                model, kind == TinyRunKind.Worsening ? TinyRun.ValidationRows : TinyRun.Rows, cancellationToken: TestCancellation).Loss,
            1e-6);

        using var resumed = TinyRun.CreateModel(kind);
        var rest = TinyRun.Create(resumed, kind, _folder["stopped"], resume: true).Train(cancellationToken: TestCancellation);
        Assert.Equal(at + 1, rest.History[0].Step);
        Assert.False(rest.StoppedOnRequest);
        WeightBytes.AssertEqual(WeightBytes.Of(whole), resumed);
    }

    [Fact]
    public void Generators_end_measured_with_a_grid_of_samples_and_the_run_goes_on()
    {
        using var images = TinyImages.Create();
        using var whole = TinyImages.CreateModel();
        using var extractor = TinyImages.CreateModel();
        var features = new DiscriminatorFeatureExtractor(extractor.Discriminator);
        StyleGan2Trainer Create(Torch.Networks.StyleGan2.StyleGan2Model model, string folder, bool resume = false) =>
            new(model, TinyImages.Options(_folder[folder], resume) with { EvaluationCount = 8 }, images, features);
        Create(whole, "whole").Train(cancellationToken: TestCancellation);

        using var model = TinyImages.CreateModel();
        SortedDictionary<string, byte[]>? atStop = null;
        var result = Create(model, "stopped").Train(
            new Callback<StyleGan2Progress>(report =>
            {
                if (report.Step != 3)
                    return;
                atStop = TinyImages.Bytes(model);
                _stop.Cancel();
            }),
            TestCancellation, _stop.Token);

        Assert.Equal((3, 3L * TinyImages.BatchSize, true), (result.Steps, result.Images, result.StoppedOnRequest));
        Assert.Equal(atStop, TinyImages.Bytes(model));
        Assert.NotNull(result.FrechetDistance);
        Assert.Equal(result.FrechetDistance, result.History[^1].FrechetDistance);
        Assert.Equal(
            [
                "answers.jsonl", "checkpoint-2", "checkpoint-3", "loss.png", "metrics.jsonl", "run.html", "samples-0000000.png",
                "samples-0000012.png",
            ],
            Directory.GetFileSystemEntries(_folder["stopped"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        using var resumed = TinyImages.CreateModel();
        Assert.Equal(4, Create(resumed, "stopped", resume: true).Train(cancellationToken: TestCancellation).History[0].Step);
        Assert.Equal(TinyImages.Bytes(whole), TinyImages.Bytes(resumed));
    }

    [Fact]
    public void New_layers_end_with_the_epoch_that_had_begun_and_the_run_goes_on()
    {
        var (training, validation) = (ArrayRows.Random(20, 6, 2, seed: 1), ArrayRows.Random(7, 6, 2, seed: 2));
        TransferNetwork CreateNetwork() => TransferNetwork.Create(null, [Layer.Dense(4), Layer.Dense(2)], [6], seed: 5);
        NetworkTrainer Create(TransferNetwork network, string folder, bool resume = false) => new(network, new ModuleTrainingOptions
        {
            NumberOfEpochs = 3, BatchSize = 4, LearningRate = 0.01, OutputDirectory = _folder[folder], CheckpointSteps = 3, Resume = resume,
        })
        {
            StepProgress = new Callback<ModuleProgress>(report =>
            {
                if (folder == "stopped" && !resume && report.Step == 7)
                    _stop.Cancel();
            }),
        };
        using var whole = CreateNetwork();
        var expected = Create(whole, "whole").Train(training, validation, cancellationToken: TestCancellation);

        using var network = CreateNetwork();
        var told = new List<EpochResult>();
        var history = Create(network, "stopped").Train(
            training, validation, new Callback<EpochResult>(told.Add), TestCancellation, _stop.Token);

        Assert.Equal((true, false, 2), (history.StoppedOnRequest, history.StoppedEarly, history.ModelEpoch));
        Assert.Equal(history.Epochs, told);
        Assert.Equal([1, 2], history.Epochs.Select(epoch => epoch.Epoch));
        Assert.Equal(history.Epochs[1].ValidationLoss!.Value, Create(network, "other").Evaluate(validation, TestCancellation).Loss, 1e-6);

        using var resumed = CreateNetwork();
        var rest = Create(resumed, "stopped", resume: true).Train(training, validation, cancellationToken: TestCancellation);
        Assert.False(rest.StoppedOnRequest);
        Assert.Equal(
            expected.Epochs.Select(epoch => epoch with { Elapsed = default }),
            rest.Epochs.Select(epoch => epoch with { Elapsed = default }));
        Assert.Equal(Bytes(whole), Bytes(resumed));
    }

    [Fact]
    public void At_the_last_step_it_comes_too_late_and_without_checkpoints_none_is_written()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var result = TinyRun.Create(model, TinyRunKind.Improving, folder: null).Train(StopAt(TinyRun.Steps), TestCancellation, _stop.Token);
        Assert.Equal((TinyRun.Steps, false), (result.Steps, result.StoppedOnRequest));

        result = TinyRun.Create(model, TinyRunKind.Improving, _folder.Path, checkpointSteps: 0).Train(null, TestCancellation, _stop.Token);
        Assert.Equal((1, true), (result.Steps, result.StoppedOnRequest));
        Assert.Equal(
            ["loss.png", "metrics.jsonl", "run.html"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData(7, false, "after step 7 of 14", "checkpoint-6", "Resume = true")]
    [InlineData(7, true, "after step 7 of 14", "checkpoint-6", "the same call goes on from it.")]
    [InlineData(2, false, "after step 2 of 14", "Nothing of it is kept", "CheckpointSteps")]
    [InlineData(0, false, "after step 0 of 14", "Nothing of it is kept", "StopAndKeep")]
    public void Cancelling_says_the_step_and_the_last_checkpoint(int at, bool resume, string step, string kept, string remedy)
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var exception = Assert.Throws<OperationCanceledException>(
            () => TinyRun.Create(model, TinyRunKind.Improving, _folder.Path, resume: resume).Train(StopAt(at), _stop.Token));

        Assert.Equal(_stop.Token, exception.CancellationToken);
        Assert.Contains(step, exception.Message, StringComparison.Ordinal);
        Assert.Contains(kept == "checkpoint-6" ? $"'{_folder["checkpoint-6"]}'" : kept, exception.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_a_run_without_files_says_that_nothing_is_kept_and_how_it_could_be()
    {
        using var images = TinyImages.Create();
        using var model = TinyImages.CreateModel();
        var message = Assert.Throws<OperationCanceledException>(() => new StyleGan2Trainer(model, TinyImages.Options(null), images).Train(
            new Callback<StyleGan2Progress>(_ => _stop.Cancel()), _stop.Token)).Message;

        Assert.All(
            (string[])["after step 1 of 6", "Nothing of it is kept", "OutputDirectory", "CheckpointImages", "StopAndKeep"],
            part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    private ProgressCallback StopAt(int step) => new(report =>
    {
        if (report.Step == step)
            _stop.Cancel();
    });

    private static byte[] Bytes(TransferNetwork network) => [.. network.State.SelectMany(tensor => tensor.Value.bytes.ToArray())];

    private sealed class Callback<T>(Action<T> action) : IProgress<T>
    {
        public void Report(T value) => action(value);
    }
}
