using System.Buffers.Binary;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

public class TrainingProgressTests
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_step_is_reported_in_order_on_the_caller_s_thread_with_its_speed_and_the_time_left()
    {
        using var model = TinyRun.LoadModel();
        var reports = new List<TrainingProgress>();
        var threads = new HashSet<int>();
        var options = new LanguageTrainingOptions { NumberOfEpochs = 2, BatchSize = 2, EvaluationSteps = 4 };
        var result = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows).Train(
            new ProgressCallback(report =>
            {
                reports.Add(report);
                threads.Add(Environment.CurrentManagedThreadId);
            }),
            TestCancellation);

        Assert.Equal(reports, result.History);
        Assert.Equal([Environment.CurrentManagedThreadId], threads);
        Assert.Equal(Enumerable.Range(0, 11), reports.Select(report => report.Step));
        Assert.All(reports, report => Assert.Equal(10, report.TotalSteps));
        Assert.Equal([0, 4, 8, 10], reports.Where(report => report.ValidationLoss is not null).Select(report => report.Step));
        Assert.Null(reports[0].Loss);
        Assert.Equal(Enumerable.Range(0, 11).Select(step => step / 5.0), reports.Select(report => report.Epoch));
        Assert.All(reports.Skip(1), report => Assert.True(report is { TokensPerSecond: > 0, Loss: > 0, GradientNorm: > 0 }));
        Assert.All(reports.Skip(1).SkipLast(1), report => Assert.True(report.Remaining > TimeSpan.Zero));
        Assert.Equal(TimeSpan.Zero, reports[^1].Remaining);
        Assert.Equal(reports.Select(report => report.Elapsed).Order(), reports.Select(report => report.Elapsed));
        var last = reports[^1];
        Assert.Equal(2 * TinyRun.Rows.Sum(row => row.InputIds.Length), last.TokensPerSecond * last.Elapsed.TotalSeconds, 1e-3);
    }

    [Fact]
    public void The_output_directory_has_a_line_of_metrics_for_every_report_and_a_plot()
    {
        using var folder = new TemporaryFolder();
        using var model = TinyRun.LoadModel();
        var options = new LanguageTrainingOptions { MaximumSteps = 4, EvaluationSteps = 2, OutputDirectory = folder["run"] };
        var result = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows)
            .Train(cancellationToken: TestCancellation);

        var lines = File.ReadAllLines(Path.Combine(folder.Path, "run", "metrics.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(result.History.Count, lines.Count);
        foreach (var (report, line) in result.History.Zip(lines))
        {
            Assert.Equal(report.Step, line["step"]!.GetValue<int>());
            Assert.Equal(report.Loss, line["loss"]?.GetValue<double>());
            Assert.Equal(report.ValidationLoss, line["eval_loss"]?.GetValue<double>());
            Assert.Equal(report.GradientNorm, line["grad_norm"]?.GetValue<double>());
            Assert.Equal(report.LearningRate, line["learning_rate"]?.GetValue<double>());
        }

        var png = File.ReadAllBytes(Path.Combine(folder.Path, "run", "loss.png"));
        Assert.Equal([0x89, .. "PNG\r\n\x1a\n"u8], png[..8]);
        Assert.Equal(
            (900, 500), (BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20))));
        Assert.InRange(png.Length, 5_000, 500_000);
        Assert.Equal(["loss.png", "metrics.jsonl", "run.html"], Directory.GetFileSystemEntries(Path.Combine(folder.Path, "run"))
            .Select(Path.GetFileName).Order());
    }
}
