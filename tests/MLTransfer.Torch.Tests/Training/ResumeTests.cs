using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

[Collection(ProcessWideState.Name)]
public sealed class ResumeTests(ResumeTests.UninterruptedRuns uninterrupted) : IClassFixture<ResumeTests.UninterruptedRuns>, IDisposable
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private readonly TemporaryFolder _folders = new();

    private string Whole => _folders["whole"];

    private string Interrupted => _folders["interrupted"];

    public void Dispose() => _folders.Dispose();

    /// <summary>What runs end with when nothing happens to them.</summary>
    public sealed class UninterruptedRuns : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly Dictionary<TinyRunKind, FinishedRun> _runs = [];

        internal FinishedRun this[TinyRunKind kind] => _runs.TryGetValue(kind, out var run)
            ? run : _runs[kind] = Finish(kind, _folder[kind.ToString()], resume: false);

        public void Dispose() => _folder.Dispose();
    }

    internal sealed record FinishedRun(string Folder, TrainingResult Result, IReadOnlyDictionary<string, byte[]> Weights);

    [Theory]
    [InlineData(TinyRunKind.Improving, 7)]  // between two checkpoints; the best weights come later
    [InlineData(TinyRunKind.Worsening, 10)] // the best weights came before
    [InlineData(TinyRunKind.Adapters, 6)]   // at a checkpoint
    [InlineData(TinyRunKind.Improving, 1)]  // before the first checkpoint
    internal void A_cancelled_and_resumed_run_ends_with_the_same_bits(TinyRunKind kind, int cancelledAt)
    {
        var expected = uninterrupted[kind];
        Cancel(kind, Interrupted, cancelledAt);
        var actual = Finish(kind, Interrupted, resume: true);
        AssertSameRun(expected, actual);
        Assert.Equal(kind == TinyRunKind.Worsening, expected.Result.ModelStep < 10);
    }

    [Theory]
    [InlineData(TinyRunKind.Improving)]
    [InlineData(TinyRunKind.Adapters)]
    internal void A_killed_and_resumed_run_ends_with_the_same_bits(TinyRunKind kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Signals are a matter of Linux.");
        var expected = uninterrupted[kind];
        var (exitCode, output) = TrainingProcess.Run(Interrupted, kind, "wait-to-be-killed", step: 7);
        Assert.True(exitCode == 128 + 9, $"exit code {exitCode}: {output}");
        AssertSameRun(expected, Finish(kind, Interrupted, resume: true));
        AssertNoLeftovers(Interrupted);
    }

    [Fact]
    public void A_checkpoint_whose_writing_was_killed_is_not_taken_and_is_cleaned_up()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Signals are a matter of Linux.");
        var expected = uninterrupted[TinyRunKind.Improving];
        var (exitCode, output) = TrainingProcess.Run(Interrupted, TinyRunKind.Improving, "die-in-a-write", step: 5);
        Assert.True(exitCode == 128 + 25, $"exit code {exitCode}: {output}");
        Assert.Equal(["checkpoint-3"], FolderNames(Interrupted).Where(name => !name.Contains(".tmp-")));
        Assert.Contains(FolderNames(Interrupted), name => name.StartsWith("checkpoint-6.tmp-", StringComparison.Ordinal));

        // With other checkpoint steps, nothing is ever written under the name of the half-written one again.
        var weights = Finish(TinyRunKind.Improving, Interrupted, resume: true, checkpointSteps: 7).Weights;
        Assert.Equal(expected.Weights.Keys, weights.Keys);
        Assert.All(expected.Weights, weight => Assert.Equal(weight.Value, weights[weight.Key]));
        Assert.Equal(["checkpoint-14", "checkpoint-3", "checkpoint-7"], FolderNames(Interrupted));
        AssertNoLeftovers(Interrupted);
    }

    [Fact]
    public void A_full_disk_names_the_checkpoint_and_leaves_the_one_before_intact()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits of file sizes are a matter of Linux.");
        var expected = uninterrupted[TinyRunKind.Improving];
        var (exitCode, output) = TrainingProcess.Run(Interrupted, TinyRunKind.Improving, "disk-full", step: 5);
        Assert.True(exitCode == 3, $"exit code {exitCode}: {output}");
        Assert.Contains($"'{Path.Combine(Interrupted, "checkpoint-6")}' could not be written", output);
        Assert.Equal(["checkpoint-3"], FolderNames(Interrupted));
        Assert.Equal([0, 1, 2, 3], Metrics(Interrupted).Select(line => line["step"]!.GetValue<int>()));
        AssertNoLeftovers(Interrupted);
        AssertSameRun(expected, Finish(TinyRunKind.Improving, Interrupted, resume: true));
    }

    [Fact]
    public void Resuming_a_finished_run_trains_nothing_more_and_gives_the_same_model_and_result()
    {
        foreach (var keepBest in (bool[])[true, false])
        {
            var (folder, steps) = (_folders[$"finished-{keepBest}"], new List<int>());
            var expected = Run(resume: false);
            var actual = Run(resume: true, new ProgressCallback(report => steps.Add(report.Step)));
            Assert.Empty(steps);
            Assert.Empty(actual.Result.History);
            Assert.Equal(expected.Weights, actual.Weights);
            Assert.Equal(expected.Result with { History = [], Elapsed = default }, actual.Result with { History = [], Elapsed = default });
            Assert.NotNull(actual.Result.ValidationLoss);

            (TrainingResult Result, IReadOnlyDictionary<string, byte[]> Weights) Run(bool resume, ProgressCallback? progress = null)
            {
                using var model = TinyRun.CreateModel(TinyRunKind.Worsening);
                var options = new LanguageTrainingOptions
                {
                    MaximumSteps = 5, // the last step is no multiple of the checkpoint steps, and has a checkpoint nevertheless
                    BatchSize = 4,
                    LearningRate = 0.05,
                    EvaluationSteps = 2,
                    KeepBestModel = keepBest,
                    OutputDirectory = folder,
                    CheckpointSteps = 2,
                    Resume = resume,
                };
                var result = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows)
                    .Train(progress, TestCancellation);
                return (result, WeightBytes.Of(model));
            }
        }
    }

    [Fact]
    public void Resuming_a_run_that_stopped_early_does_not_train_on()
    {
        var steps = new List<int>();
        var expected = Run(resume: false, new ProgressCallback(_ => { }));
        var actual = Run(resume: true, new ProgressCallback(report => steps.Add(report.Step)));
        Assert.True(expected.StoppedEarly);
        Assert.Empty(steps);
        Assert.Equal(expected with { History = [], Elapsed = default }, actual with { History = [], Elapsed = default });

        TrainingResult Run(bool resume, ProgressCallback progress)
        {
            using var model = TinyRun.CreateModel(TinyRunKind.Worsening);
            var options = new LanguageTrainingOptions
            {
                MaximumSteps = 40,
                LearningRate = 0.05,
                EvaluationSteps = 1,
                EarlyStoppingPatience = 2,
                OutputDirectory = Whole,
                CheckpointSteps = 100,
                Resume = resume,
            };
            return new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows).Train(progress, TestCancellation);
        }
    }

    [Fact]
    public void Without_a_checkpoint_resuming_starts_anew()
    {
        Directory.CreateDirectory(Interrupted);
        File.WriteAllText(Path.Combine(Interrupted, "metrics.jsonl"), "{\"step\": 99}\n");
        AssertSameRun(uninterrupted[TinyRunKind.Improving], Finish(TinyRunKind.Improving, Interrupted, resume: true));
    }

    [Fact]
    public void Other_rows_options_dropout_frozen_weights_or_adapters_are_refused_and_change_nothing()
    {
        using var original = TinyRun.LoadModel();
        var options = Options(resume: false);
        new LanguageModelTrainer(original, options, TinyRun.Rows, TinyRun.ValidationRows).Train(cancellationToken: TestCancellation);
        var files = AllFiles(Whole);

        AssertRefused(_ => { }, Options(learningRate: 1e-3), TinyRun.Rows, TinyRun.ValidationRows);
        AssertRefused(_ => { }, Options(seed: 43), TinyRun.Rows, TinyRun.ValidationRows);
        AssertRefused(_ => { }, Options(), [.. TinyRun.Rows.Reverse()], TinyRun.ValidationRows);
        AssertRefused(_ => { }, Options(), [.. TinyRun.Rows.SkipLast(1)], [TinyRun.Rows[^1], .. TinyRun.ValidationRows]);
        AssertRefused(_ => { }, Options(), TinyRun.Rows, []);
        AssertRefused(model => model.Dropout = new DropoutProbabilities(0.1, 0, 0), Options(), TinyRun.Rows, TinyRun.ValidationRows);
        AssertRefused(
            model => ParameterFreezing.FreezeByName(model, "transformer.wte.weight"), Options(), TinyRun.Rows, TinyRun.ValidationRows);
        AssertRefused(model => LowRankAdaptation.Attach(model, new LoraOptions()), Options(), TinyRun.Rows, TinyRun.ValidationRows);

        // The run itself goes on.
        using var same = TinyRun.LoadModel();
        Assert.Equal(2, new LanguageModelTrainer(same, Options(), TinyRun.Rows, TinyRun.ValidationRows)
            .Train(cancellationToken: TestCancellation).Steps);
        WeightBytes.AssertEqual(WeightBytes.Of(original), same);

        LanguageTrainingOptions Options(bool resume = true, double learningRate = 5e-5, long seed = 42) => new()
        {
            MaximumSteps = 2,
            LearningRate = learningRate,
            Seed = seed,
            OutputDirectory = Whole,
            CheckpointSteps = 1,
            Resume = resume,
        };

        void AssertRefused(
            Action<CausalLanguageModel> change, LanguageTrainingOptions options, IReadOnlyList<TrainingExample> rows,
            IReadOnlyList<TrainingExample> validation)
        {
            using var model = TinyRun.LoadModel();
            change(model);
            var before = WeightBytes.Of(model);
            var error = Assert.Throws<InvalidDataException>(
                () => new LanguageModelTrainer(model, options, rows, validation).Train(cancellationToken: TestCancellation));
            Assert.Contains("checkpoint-2", error.Message);
            Assert.Contains("other training rows, other options or another model", error.Message);
            WeightBytes.AssertEqual(before, model);
            Assert.Equal(files, AllFiles(Whole));
        }
    }

    [Fact]
    public void Adapters_are_not_resumed_on_another_base_model()
    {
        Train(TinyRun.LoadModel(), resume: false);
        var other = TinyRun.LoadModel();
        using (no_grad())
            other.TokenEmbedding.add_(1e-3);
        Assert.Throws<InvalidDataException>(() => Train(other, resume: true));

        void Train(CausalLanguageModel model, bool resume)
        {
            using (model)
            {
                LowRankAdaptation.Attach(model, new LoraOptions());
                var options =
                    new LanguageTrainingOptions { MaximumSteps = 1, OutputDirectory = Whole, CheckpointSteps = 1, Resume = resume };
                new LanguageModelTrainer(model, options, TinyRun.Rows).Train(cancellationToken: TestCancellation);
            }
        }
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("best-weights.safetensors")]
    [InlineData("trainer_state.json")]
    public void A_truncated_file_of_a_checkpoint_is_refused_by_name_and_changes_nothing(string file)
    {
        Cancel(TinyRunKind.Improving, Interrupted, at: 4);
        var path = Path.Combine(Interrupted, "checkpoint-3", file);
        using (var stream = File.OpenWrite(path))
            stream.SetLength(stream.Length / 2);
        AssertDamaged(path);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("best-weights.safetensors")]
    public void A_missing_file_of_a_checkpoint_is_refused_by_name_and_changes_nothing(string file)
    {
        Cancel(TinyRunKind.Improving, Interrupted, at: 4);
        File.Delete(Path.Combine(Interrupted, "checkpoint-3", file));
        AssertDamaged(Path.Combine(Interrupted, "checkpoint-3"));
    }

    [Fact]
    public void Lines_of_the_metrics_that_cannot_be_read_stay_and_stop_nothing()
    {
        var expected = uninterrupted[TinyRunKind.Improving];
        Cancel(TinyRunKind.Improving, Interrupted, at: 7);
        var path = Path.Combine(Interrupted, "metrics.jsonl");
        var lines = File.ReadAllLines(path).ToList();
        string[] malformed = ["""{"step":2,"step":3}""", """{"step":"\ud800"}""", "[1]", """{"step":1e99}"""];
        lines.InsertRange(2, malformed);
        File.WriteAllLines(path, [.. lines, """{"step":7,"step":7,"loss":1}""", """{"step":7,"los"""]);

        var weights = Finish(TinyRunKind.Improving, Interrupted, resume: true).Weights;

        Assert.All(expected.Weights, weight => Assert.Equal(weight.Value, weights[weight.Key]));
        var resumed = File.ReadAllLines(path);
        Assert.Equal(malformed, resumed[2..6]);
        Assert.Equal(
            Metrics(expected.Folder).Select(line => line["step"]!.GetValue<int>()),
            resumed.Except(malformed).Select(line => JsonNode.Parse(line)!["step"]!.GetValue<int>()));
    }

    [Fact]
    public void A_folder_without_trainer_state_or_with_another_name_is_no_checkpoint()
    {
        var expected = uninterrupted[TinyRunKind.Improving];
        Cancel(TinyRunKind.Improving, Interrupted, at: 7);
        Directory.Move(Path.Combine(Interrupted, "checkpoint-6"), Path.Combine(Interrupted, "checkpoint-9.tmp-0123456789ab"));
        CopyFolder(Path.Combine(Interrupted, "checkpoint-3"), Path.Combine(Interrupted, "checkpoint-best"));
        CopyFolder(Path.Combine(Interrupted, "checkpoint-3"), Path.Combine(Interrupted, "checkpoint-12"));
        File.Delete(Path.Combine(Interrupted, "checkpoint-12", "trainer_state.json"));
        var actual = Finish(TinyRunKind.Improving, Interrupted, resume: true);
        Assert.Equal(4, actual.Result.History[0].Step);
        AssertSameRun(expected, actual);
        Assert.True(Directory.Exists(Path.Combine(Interrupted, "checkpoint-best")));
        AssertNoLeftovers(Interrupted);
    }

    [Fact]
    public void A_checkpoint_renamed_to_another_step_is_refused()
    {
        Cancel(TinyRunKind.Improving, Interrupted, at: 4);
        Directory.Move(Path.Combine(Interrupted, "checkpoint-3"), Path.Combine(Interrupted, "checkpoint-4"));
        AssertDamaged(Path.Combine(Interrupted, "checkpoint-4", "trainer_state.json"));
    }

    [Theory]
    [InlineData(0, new[] { 3, 6, 9, 12, 14 })]
    [InlineData(1, new[] { 14 })]
    [InlineData(2, new[] { 12, 14 })]
    public void The_newest_checkpoints_are_kept_up_to_the_limit(int limit, int[] kept)
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        TinyRun.Create(model, TinyRunKind.Improving, Whole, checkpointLimit: limit).Train(cancellationToken: TestCancellation);
        Assert.Equal(kept.Select(step => $"checkpoint-{step}").Order(StringComparer.Ordinal), FolderNames(Whole));
    }

    [Fact]
    public void A_checkpoint_loads_as_a_model_with_its_tokenizer()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var tokenizer = TextTokenizer.Load(RepositoryFiles.Data("gpt2-tiny"));
        var options = new LanguageTrainingOptions { MaximumSteps = 2, OutputDirectory = Whole, CheckpointSteps = 2 };
        new LanguageModelTrainer(model, options, TinyRun.Rows, tokenizer: tokenizer).Train(cancellationToken: TestCancellation);
        using var loaded = CausalLanguageModel.Load(Path.Combine(Whole, "checkpoint-2"));
        WeightBytes.AssertEqual(WeightBytes.Of(model), loaded);
        Assert.Equal(
            tokenizer.Encode("A very old man."), TextTokenizer.Load(Path.Combine(Whole, "checkpoint-2")).Encode("A very old man."));
    }

    [Fact]
    public void A_checkpoint_of_adapters_loads_as_a_peft_folder()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Adapters);
        var options = new LanguageTrainingOptions { MaximumSteps = 2, OutputDirectory = Whole, CheckpointSteps = 2 };
        new LanguageModelTrainer(model, options, TinyRun.Rows).Train(cancellationToken: TestCancellation);
        using var loaded = TinyRun.LoadModel();
        PeftAdapterFolder.Load(loaded, Path.Combine(Whole, "checkpoint-2"));
        WeightBytes.AssertEqual(WeightBytes.Of(model), loaded);
    }

    [Fact]
    public void A_new_run_in_the_folder_of_an_earlier_one_deletes_what_that_one_wrote_and_nothing_else()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        TinyRun.Create(model, TinyRunKind.Improving, Whole).Train(cancellationToken: TestCancellation);
        File.WriteAllText(Path.Combine(Whole, "notes.txt"), "mine");
        Directory.CreateDirectory(Path.Combine(Whole, "checkpoint-mine"));
        Assert.True(File.Exists(Path.Combine(Whole, "loss.png")));

        var options = new LanguageTrainingOptions { MaximumSteps = 1, OutputDirectory = Whole };
        var seen = Array.Empty<string>();
        new LanguageModelTrainer(model, options, TinyRun.Rows).Train(new ProgressCallback(_ => seen = EntryNames(Whole)), TestCancellation);
        Assert.Equal(["checkpoint-mine", "metrics.jsonl", "notes.txt", "run.html", "run.lock", "start-weights.safetensors"], seen);
        Assert.Equal(["checkpoint-mine", "loss.png", "metrics.jsonl", "notes.txt", "run.html"], EntryNames(Whole));
        Assert.Equal([1], Metrics(Whole).Select(line => line["step"]!.GetValue<int>()));
    }

    [Fact]
    public void A_token_that_is_cancelled_already_leaves_an_earlier_run_alone()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        TinyRun.Create(model, TinyRunKind.Improving, Whole).Train(cancellationToken: TestCancellation);
        var files = AllFiles(Whole);
        Assert.Throws<OperationCanceledException>(
            () => TinyRun.Create(model, TinyRunKind.Worsening, Whole).Train(cancellationToken: new CancellationToken(canceled: true)));
        Assert.Equal(files, AllFiles(Whole));
    }

    [Fact]
    public void A_second_call_is_a_new_run_from_the_weights_that_the_first_left()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var trainer = new LanguageModelTrainer(model, new LanguageTrainingOptions { MaximumSteps = 3 }, TinyRun.Rows);
        trainer.Train(cancellationToken: TestCancellation);
        var result = trainer.Train(cancellationToken: TestCancellation);
        Assert.Equal([1, 2, 3], result.History.Select(report => report.Step));

        using var other = TinyRun.CreateModel(TinyRunKind.Improving);
        for (var i = 0; i < 2; i++)
            new LanguageModelTrainer(other, new LanguageTrainingOptions { MaximumSteps = 3 }, TinyRun.Rows)
                .Train(cancellationToken: TestCancellation);
        WeightBytes.AssertEqual(WeightBytes.Of(other), model);
    }

    private void AssertDamaged(string named)
    {
        var files = AllFiles(Interrupted);
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var before = WeightBytes.Of(model);
        var error = Assert.Throws<InvalidDataException>(
            () => TinyRun.Create(model, TinyRunKind.Improving, Interrupted, resume: true).Train(cancellationToken: TestCancellation));
        Assert.Contains(named, error.Message);
        WeightBytes.AssertEqual(before, model);
        Assert.Equal(files, AllFiles(Interrupted));
    }

    private static FinishedRun Finish(TinyRunKind kind, string folder, bool resume, int checkpointSteps = 3)
    {
        using var model = TinyRun.CreateModel(kind);
        var result = TinyRun.Create(model, kind, folder, checkpointSteps, resume: resume).Train(cancellationToken: TestCancellation);
        return new FinishedRun(folder, result, WeightBytes.Of(model));
    }

    private static void Cancel(TinyRunKind kind, string folder, int at)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        using var model = TinyRun.CreateModel(kind);
        Assert.Throws<OperationCanceledException>(() => TinyRun.Create(model, kind, folder).Train(
            new ProgressCallback(report =>
            {
                if (report.Step == at)
                    source.Cancel();
            }),
            source.Token));
    }

    private static void AssertSameRun(FinishedRun expected, FinishedRun actual)
    {
        Assert.Equal(expected.Weights.Keys, actual.Weights.Keys);
        Assert.All(expected.Weights, weight => Assert.Equal(weight.Value, actual.Weights[weight.Key]));
        Assert.Equal(expected.Result with { History = [], Elapsed = default }, actual.Result with { History = [], Elapsed = default });

        // The last checkpoint: weights, the best ones, the optimizer's state and what the run knows.
        var (whole, resumed) =
            (AllFiles(Path.Combine(expected.Folder, "checkpoint-14")), AllFiles(Path.Combine(actual.Folder, "checkpoint-14")));
        Assert.Contains("optimizer.safetensors", whole.Keys);
        Assert.Equal(whole.Keys, resumed.Keys);
        Assert.All(whole, file => Assert.True(file.Value == resumed[file.Key], file.Key));

        Assert.Equal(Metrics(expected.Folder).Select(Numbers), Metrics(actual.Folder).Select(Numbers));

        static string Numbers(JsonNode line)
        {
            line.AsObject().Remove("seconds");
            line.AsObject().Remove("tokens_per_second");
            return line.ToJsonString();
        }
    }

    private static void AssertNoLeftovers(string folder) =>
        Assert.DoesNotContain(EntryNames(folder), name => name.Contains(".tmp-")
            || name.EndsWith("-weights.safetensors", StringComparison.Ordinal));

    private static List<JsonNode> Metrics(string folder) =>
        [.. File.ReadLines(Path.Combine(folder, "metrics.jsonl")).Select(line => JsonNode.Parse(line)!)];

    private static string[] FolderNames(string folder) =>
        [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static string[] EntryNames(string folder) =>
        [.. Directory.GetFileSystemEntries(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static SortedDictionary<string, string> AllFiles(string folder) => new(
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .ToDictionary(path => Path.GetRelativePath(folder, path), path => Convert.ToBase64String(File.ReadAllBytes(path))),
        StringComparer.Ordinal);

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
