using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

[Collection(ProcessWideState.Name)]
public class CancellationTests
{
    /// <summary>The environment variable that <see cref="Path.GetTempPath"/> goes by.</summary>
    private static string TemporaryPath => OperatingSystem.IsWindows() ? "TMP" : "TMPDIR";

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, 7)]
    [InlineData(false, 2)]
    [InlineData(true, 7)]
    [InlineData(true, 2)]
    public void After_an_interruption_model_and_files_are_as_after_the_last_checkpoint_or_as_at_the_start(bool throws, int at)
    {
        using var folder = new TemporaryFolder();
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var atCheckpoint = WeightBytes.Of(model);
        var atInterruption = atCheckpoint;
        var progress = new ProgressCallback(report =>
        {
            if (report.Step == at)
                atInterruption = WeightBytes.Of(model);
            if (report.Step == 6)
                atCheckpoint = WeightBytes.Of(model);
            if (report.Step == at && throws)
                throw new NotFiniteNumberException("the user's own");
            if (report.Step == at)
                source.Cancel();
        });

        var trainer = TinyRun.Create(model, TinyRunKind.Improving, folder.Path);
        if (throws)
            Assert.Equal("the user's own", Assert.Throws<NotFiniteNumberException>(() => trainer.Train(progress, source.Token)).Message);
        else
            Assert.Throws<OperationCanceledException>(() => trainer.Train(progress, source.Token));

        WeightBytes.AssertEqual(atCheckpoint, model);
        Assert.NotEqual(atInterruption["transformer.wte.weight"], atCheckpoint["transformer.wte.weight"]);
        AssertAtRest(model);
        var entries = Directory.GetFileSystemEntries(folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);
        Assert.Equal(at == 7 ? ["checkpoint-3", "checkpoint-6", "metrics.jsonl", "run.html"] : [], entries);
        if (at == 7)
            Assert.Equal(7, File.ReadLines(Path.Combine(folder.Path, "metrics.jsonl")).Count()); // the start and six steps
    }

    [Fact]
    public void A_resumed_run_that_is_cancelled_before_its_first_checkpoint_has_the_weights_that_it_began_with()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyRun.CreateModel(TinyRunKind.Adapters);
        IReadOnlyDictionary<string, byte[]>? expected = null;
        Interrupt(TinyRun.Create(model, TinyRunKind.Adapters, folder.Path), report =>
        {
            if (report.Step == 3)
                expected = WeightBytes.Of(model);
            return report.Step == 4;
        });

        using var other = TinyRun.CreateModel(TinyRunKind.Adapters);
        Interrupt(TinyRun.Create(other, TinyRunKind.Adapters, folder.Path, resume: true), report => report.Step == 5);
        WeightBytes.AssertEqual(expected!, other);

        static void Interrupt(LanguageModelTrainer trainer, Func<MLTransfer.Torch.Training.Language.TrainingProgress, bool> at)
        {
            using var source = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
            Assert.Throws<OperationCanceledException>(() => trainer.Train(
                new ProgressCallback(report =>
                {
                    if (at(report))
                        source.Cancel();
                }),
                source.Token));
        }
    }

    [Fact]
    public void Cancelling_at_the_last_step_comes_too_late()
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var result = TinyRun.Create(model, TinyRunKind.Improving, folder: null).Train(
            new ProgressCallback(report =>
            {
                if (report.Step == TinyRun.Steps)
                    source.Cancel();
            }),
            source.Token);
        Assert.Equal(TinyRun.Steps, result.Steps);
        AssertAtRest(model);
    }

    [Fact]
    public void A_run_without_output_directory_leaves_nothing_in_the_temporary_folder()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var usual = Environment.GetEnvironmentVariable(TemporaryPath);
        Environment.SetEnvironmentVariable(TemporaryPath, folder.Path);
        try
        {
            var during = new HashSet<string>();
            TinyRun.Create(model, TinyRunKind.Improving, folder: null).Train(
                new ProgressCallback(_ => during.UnionWith(Directory.GetFileSystemEntries(folder.Path))), TestCancellation);
            Assert.Equal(2, during.Count); // the folder and its lock
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
            Assert.Throws<InvalidOperationException>(
                () => TinyRun.Create(model, TinyRunKind.Improving, folder: null).Train(
                    new ProgressCallback(_ => throw new InvalidOperationException()), TestCancellation));
            Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        }
        finally
        {
            Environment.SetEnvironmentVariable(TemporaryPath, usual);
        }
    }

    private static void AssertAtRest(CausalLanguageModel model)
    {
        Assert.False(model.training);
        Assert.All(model.named_modules(), module => Assert.False(module.module.training, module.name));
        Assert.All(model.parameters(), parameter => Assert.Null(parameter.grad));
    }
}
