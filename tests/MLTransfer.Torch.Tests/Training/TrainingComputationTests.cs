using System.Globalization;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Numerics.Calibration;
using MLTransfer.Torch.Numerics.Lanes;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

public sealed class TrainingComputationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// oneDNN without its instructions for bfloat16, and without AVX-512: the processor's flags say still that there are.
    /// </summary>
    [Theory]
    [InlineData("AVX512_CORE", "avx512")]
    [InlineData("AVX2", "avx2")]
    public void Auto_takes_float32_where_it_is_faster_although_there_are_instructions_for_bfloat16(string isa, string capability)
    {
        Assert.SkipUnless(
            ProcessorFeatures.HasBFloat16Products, "This processor has no instructions for bfloat16: there is nothing to choose.");

        var (exitCode, output) = TrainingProcess.Run(
            [("ONEDNN_MAX_CPU_ISA", isa), ("ATEN_CPU_CAPABILITY", capability), ("OMP_NUM_THREADS", "1")], "", "MeasureProducts");

        Assert.True(exitCode == 0, output);
        TestContext.Current.TestOutputHelper?.WriteLine(output);
        var lines = output.Trim().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.StartsWith($"{Precision.Float32} ", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    public void A_resumed_run_computes_as_it_began_whatever_the_machine(Precision began)
    {
        var options = TinyRun.Options(TinyRunKind.Improving, _folder.Path) with { Precision = began, Threads = 2 };
        var whole = Train(options with { OutputDirectory = null, CheckpointSteps = 0 });
        Train(options with { MaximumSteps = TinyRun.Steps }, stopAfter: 4);
        RenameFingerprint(options, options with { Precision = Precision.Auto, Threads = 0, Resume = true });

        var weights = Train(options with { Precision = Precision.Auto, Threads = 0, Resume = true }, expected: (began, 2));

        Assert.Equal(whole, weights);
        var state = JsonNode.Parse(File.ReadAllText(_folder["checkpoint-14/trainer_state.json"]))!["Computation"]!;
        Assert.Equal((began.ToString(), 2), ((string)state["Precision"]!, (int)state["Threads"]!));
        var first = JsonNode.Parse(File.ReadLines(_folder["metrics.jsonl"]).First())!["computation"]!;
        Assert.Equal((began.ToString(), 2), ((string)first["Precision"]!, (int)first["Threads"]!));
        Assert.All(File.ReadLines(_folder["metrics.jsonl"]).Skip(1), line => Assert.Null(JsonNode.Parse(line)!["computation"]));
    }

    [Fact]
    public void Threads_are_those_of_the_options_while_a_run_goes_on()
    {
        var before = get_num_threads();
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        var during = new HashSet<int>();
        var options = TinyRun.Options(TinyRunKind.Improving, null) with { Threads = 3, MaximumSteps = 2 };

        new LanguageModelTrainer(model, options, TinyRun.Rows).Train(new ProgressCallback(_ => during.Add(get_num_threads())),
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal([3], during);
        Assert.Equal(before, get_num_threads());
        Assert.Contains("Threads", Assert.Throws<ArgumentOutOfRangeException>(
            () => new LanguageModelTrainer(model, options with { Threads = -1 }, TinyRun.Rows)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_trials_the_first_decides_for_all()
    {
        var key = $"test {Guid.NewGuid()}";
        var choice = new ProductChoice(ScalarType.BFloat16, 2, "first");
        await Share(() => Assert.Equal(choice, SharedChoices.Get(key, () => choice)));

        // Another process finds the file, whatever it would have measured.
        var file = Assert.Single(Directory.EnumerateFiles(_folder.Path, "computation-*"));
        File.Move(file, file.Replace(key.Replace(' ', '-'), "other-key", StringComparison.Ordinal));
        await Share(() => Assert.Equal(choice, SharedChoices.Get("other key", NotAgain)));
        Assert.Equal(choice, SharedChoices.Get(key, NotAgain));

        File.WriteAllText(_folder["computation-third-key.json"], """{"Type":6,"Threads":0,"Findings":""}""");
        await Share(() => Assert.Contains("computation-third-key.json", Assert.Throws<InvalidDataException>(
            () => SharedChoices.Get("third key", () => choice)).Message, StringComparison.Ordinal));

        static ProductChoice NotAgain() => throw new InvalidOperationException("measured again");

        Task Share(Action action) => Task.Run(() =>
        {
            SharedChoices.ShareIn(_folder.Path);
            action();
        });
    }

    [Fact]
    public void Small_networks_and_named_formats_are_not_measured()
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        Assert.False(LargestProducts.Of(model)!.IsWorthMeasuring);
        Assert.True(new MatrixShape(768, 3072).IsWorthMeasuring);
        var named = TrainingComputation.Of(
            new LanguageTrainingOptions { Precision = Precision.BFloat16, Threads = 5 }, CPU, () => throw new InvalidOperationException());
        Assert.Equal((Precision.BFloat16, 5), (named.Precision, named.Threads));
    }

    private static byte[] Train(
        LanguageTrainingOptions options, int? stopAfter = null, (Precision Precision, int Threads)? expected = null)
    {
        using var model = TinyRun.CreateModel(TinyRunKind.Improving);
        using var stop = new CancellationTokenSource();
        var trainer = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.Rows);
        if (expected is { } computation)
            Assert.Equal(computation, (trainer.Computation.Precision, trainer.Computation.Threads));
        trainer.Train(
            new ProgressCallback(report =>
            {
                if (report.Step == stopAfter)
                    stop.Cancel();
            }),
            stopAndKeep: stop.Token);
        return [.. WeightBytes.Of(model).OrderBy(tensor => tensor.Key, StringComparer.Ordinal).SelectMany(tensor => tensor.Value)];
    }

    /// <summary>Makes a run of options one of other options, as if Auto had chosen at its beginning.</summary>
    private void RenameFingerprint(LanguageTrainingOptions from, LanguageTrainingOptions to)
    {
        var file = Directory.EnumerateFiles(_folder.Path, "trainer_state.json", SearchOption.AllDirectories)
            .MaxBy(path => int.Parse(
                Path.GetFileName(Path.GetDirectoryName(path)!)["checkpoint-".Length..], CultureInfo.InvariantCulture))!;
        var state = JsonNode.Parse(File.ReadAllText(file))!;
        Assert.Equal(Fingerprint(from), (string)state["Fingerprint"]!);
        state["Fingerprint"] = Fingerprint(to);
        File.WriteAllText(file, state.ToJsonString());

        static string Fingerprint(LanguageTrainingOptions options)
        {
            using var model = TinyRun.CreateModel(TinyRunKind.Improving);
            using var task = new LanguageTask(model, options, new LanguageRows(model, options, TinyRun.Rows, TinyRun.Rows, null), null);
            return task.Fingerprint();
        }
    }
}
