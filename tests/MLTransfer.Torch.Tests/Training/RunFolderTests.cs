using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>A folder belongs to one run, and has no half checkpoint in it, whatever ends a process.</summary>
[Collection(ProcessWideState.Name)]
public sealed class RunFolderTests : IDisposable
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_checkpoint_whose_deletion_was_killed_is_no_checkpoint_and_goes_with_the_next_run()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Signals are a matter of Linux.");
        var (exitCode, output) = TrainingProcess.Run(_folder.Path, TinyRunKind.Improving, "die-in-a-deletion", step: 4);

        Assert.True(exitCode == 128 + 9, $"exit code {exitCode}: {output}");
        Assert.DoesNotContain("checkpoint-3", EntryNames());
        var half = Assert.Single(EntryNames(), name => name.StartsWith("checkpoint-3.tmp-", StringComparison.Ordinal)
            && !name.EndsWith(".lock", StringComparison.Ordinal));
        Assert.NotEmpty(Directory.EnumerateFiles(_folder[half]));

        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var result = TinyRun.Create(model, TinyRunKind.Improving, _folder.Path, checkpointLimit: 1, resume: true)
            .Train(cancellationToken: TestCancellation);
        Assert.Equal(7, result.History[0].Step);
        Assert.Equal(["checkpoint-14", "loss.png", "metrics.jsonl", "run.html"], EntryNames());
    }

    [Fact]
    public void What_killed_writers_left_goes_at_the_start_of_a_run_and_what_is_being_written_stays()
    {
        const string suffix = ".tmp-0123456789ab";
        foreach (var name in (string[])["metrics.jsonl", "loss.png", "best-weights.safetensors"])
            File.WriteAllText(_folder[name + suffix], "half");
        Directory.CreateDirectory(_folder["checkpoint-6" + suffix]);
        File.WriteAllText(_folder["checkpoint-6" + suffix + ".lock"], "");
        File.WriteAllText(_folder["notes.tmp-mine"], "mine");
        using (new FileStream(_folder["model.zip" + suffix], FileMode.CreateNew, FileAccess.Write, FileShare.Read))
        {
            using var model = TinyRun.LoadModel();
            Create(model).Train(cancellationToken: TestCancellation);
            Assert.Equal(["loss.png", "metrics.jsonl", "model.zip" + suffix, "notes.tmp-mine", "run.html"], EntryNames());
        }
    }

    [Fact]
    public void A_second_run_in_a_folder_is_refused_while_the_first_goes_on_and_changes_nothing()
    {
        using var first = TinyRun.CreateModel(TinyRunKind.Improving);
        using var second = TinyRun.CreateModel(TinyRunKind.Improving);
        var before = WeightBytes.Of(second);
        IOException? here = null;
        (int ExitCode, string Output) there = default;
        var result = TinyRun.Create(first, TinyRunKind.Improving, _folder.Path).Train(
            new ProgressCallback(report =>
            {
                if (report.Step != 4)
                    return;
                var entries = EntryNames();
                here = Assert.Throws<IOException>(
                    () => TinyRun.Create(second, TinyRunKind.Improving, _folder.Path).Train(cancellationToken: TestCancellation));
                there = TrainingProcess.Run(_folder.Path, TinyRunKind.Improving, "refused", step: 0);
                Assert.Equal(entries, EntryNames());
            }),
            TestCancellation);

        var message = Assert.IsType<IOException>(here).Message;
        Assert.Contains($"'{_folder.Path}' is in use by another training run", message, StringComparison.Ordinal);
        Assert.Contains(nameof(TrainingOptions.OutputDirectory), message, StringComparison.Ordinal);
        Assert.Equal((3, message), (there.ExitCode, $"{there.Output}".Trim()));
        WeightBytes.AssertEqual(before, second);

        // The first was not disturbed, and its folder is free now.
        Assert.Equal(TinyRun.Steps, result.Steps);
        using var undisturbed = TinyRun.CreateModel(TinyRunKind.Improving);
        TinyRun.Create(undisturbed, TinyRunKind.Improving, _folder.Path).Train(cancellationToken: TestCancellation);
        WeightBytes.AssertEqual(WeightBytes.Of(first), undisturbed);
    }

    [Fact]
    public void The_folder_of_a_killed_process_is_free()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Signals are a matter of Linux.");
        TrainingProcess.Run(_folder.Path, TinyRunKind.Improving, "wait-to-be-killed", step: 2);
        Assert.Contains("run.lock", EntryNames());
        using var model = TinyRun.LoadModel();
        Assert.Equal(1, Create(model).Train(cancellationToken: TestCancellation).Steps);
        Assert.Equal(["loss.png", "metrics.jsonl", "run.html"], EntryNames());
    }

    private LanguageModelTrainer Create(MLTransfer.Torch.Networks.Transformers.CausalLanguageModel model) =>
        new(model, new LanguageTrainingOptions { MaximumSteps = 1, OutputDirectory = _folder.Path }, TinyRun.Rows);

    private string[] EntryNames() =>
        [.. Directory.GetFileSystemEntries(_folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
