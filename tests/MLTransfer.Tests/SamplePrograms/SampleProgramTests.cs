using System.Diagnostics;
using SkiaSharp;
using Xunit;

namespace MLTransfer.Tests.SamplePrograms;

/// <summary>The programs of <c>samples</c>, as somebody runs them, with less to do.</summary>
public sealed class SampleProgramTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Text_sample_writes_before_and_after_and_leaves_model_plot_and_metrics()
    {
        File.WriteAllText(_folder["book.txt"], File.ReadAllText(RepositoryFiles.Data("mars-excerpt.txt"))[..12_000]);

        var (exitCode, output) = await RunAsync(
            "TextGeneration", "--text", _folder["book.txt"], "--max-steps", "2", "--new-tokens", "4", "--output", _folder["run"]);

        Assert.True(exitCode == 0, output);
        Assert.Contains("The pretrained model writes", output, StringComparison.Ordinal);
        Assert.Contains("The fine-tuned model, loaded from its zip, writes", output, StringComparison.Ordinal);
        Assert.Contains("perplexity", output, StringComparison.Ordinal);
        Assert.Equal(["answers.jsonl", "loss.png", "metrics.jsonl", "run.html", "storyteller.zip"], Files("run"));
    }

    [Fact]
    public async Task Text_sample_fills_masks_before_and_after()
    {
        File.WriteAllText(_folder["book.txt"], File.ReadAllText(RepositoryFiles.Data("mars-excerpt.txt"))[..12_000]);

        var (exitCode, output) = await RunAsync(
            "TextGeneration", "--task", "infill", "--text", _folder["book.txt"], "--max-steps", "2", "--output", _folder["run"]);

        Assert.True(exitCode == 0, output);
        Assert.Contains("The pretrained model fills in", output, StringComparison.Ordinal);
        Assert.Contains("The fine-tuned model, loaded from its zip, fills in", output, StringComparison.Ordinal);
        Assert.Contains("pseudo-perplexity", output, StringComparison.Ordinal);
        Assert.Equal(["infiller.zip", "loss.png", "metrics.jsonl", "run.html"], Files("run"));
    }

    [Fact]
    public async Task Experiment_sample_shows_trials_importances_and_the_gain_and_leaves_journal_page_and_model()
    {
        File.WriteAllText(_folder["book.txt"], File.ReadAllText(RepositoryFiles.Data("mars-excerpt.txt"))[..12_000]);

        var (exitCode, output) = await RunAsync(
            "Experiment", "--text", _folder["book.txt"], "--trials", "3", "--epochs", "1", "--output", _folder["run"]);

        Assert.True(exitCode == 0, output);
        Assert.Contains("trial 2 begins", output, StringComparison.Ordinal);
        Assert.Contains("_pipeline_.e1.LearningRate", output, StringComparison.Ordinal);
        Assert.Contains("known recipe", output, StringComparison.Ordinal);
        Assert.Contains("3 trials took", output, StringComparison.Ordinal);
        Assert.Contains(Files("run"), file => file!.StartsWith("best-", StringComparison.Ordinal));
        Assert.Subset(Files("run").ToHashSet(), new HashSet<string?> { "experiment.html", "journal.jsonl", "trials.csv" });
        var peaks = File.ReadLines(_folder["run/trials.csv"]).Skip(1).Select(line =>
            double.Parse(line.Split(',')[5], System.Globalization.CultureInfo.InvariantCulture));
        Assert.All(peaks, peak => Assert.True(peak > 150, $"{peak} MB")); // a process of its own begins with nothing
    }

    [Fact]
    public async Task Image_sample_shows_real_pictures_and_those_before_and_after_in_tiles_with_gaps()
    {
        DrawDiscs(_folder["discs"], count: 10);

        var (exitCode, output) = await RunAsync(
            "ImageGeneration", "--pictures", _folder["discs"], "--images", "16", "--output", _folder["run"]);

        Assert.True(exitCode == 0, output);
        Assert.Contains("The Frechet distance after the fine-tune is", output, StringComparison.Ordinal);
        Assert.Superset(
            new HashSet<string?>
            {
                "answers.jsonl", "loss.png", "metrics.jsonl", "painter.onnx", "painter.zip", "pictures.png", "run.html",
            },
            Files("run").ToHashSet());
        using var sheet = SKBitmap.Decode(_folder["run/pictures.png"]);
        Assert.Equal((1128, 864), (sheet.Width, sheet.Height)); // eight columns; one row of real pictures, two before and two after
        var pictureRows = Enumerable.Range(0, sheet.Height)
            .Where(y => Enumerable.Range(24, 1080).Count(x => sheet.GetPixel(x, y) != SKColors.White) > 540); // a caption has less ink
        Assert.Equal(5 * 128, pictureRows.Count());
        var gapsOfReal = Enumerable.Range(24, 1080).Where(x => Enumerable.Range(110, 100).All(y => sheet.GetPixel(x, y) == SKColors.White));
        Assert.Equal(7 * 8, gapsOfReal.Count());
    }

    [Theory]
    [InlineData("--epochs", "--epochs", "many")]
    [InlineData("--epoch", "--epoch", "3")]
    [InlineData("NumberOfEpochs", "--epochs", "0")]
    [InlineData("BatchSize", "--batch-size", "-1")]
    [InlineData("missing.txt", "--text", "missing.txt")]
    public async Task An_option_that_cannot_be_used_is_named_before_anything_is_done(string named, string option, string value)
    {
        var (exitCode, output) = await RunAsync("TextGeneration", option, value, "--output", _folder["run"]);

        Assert.Equal(1, exitCode);
        Assert.Contains(named, output, StringComparison.Ordinal);
        Assert.DoesNotContain("writes ──", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    private static void DrawDiscs(string folder, int count)
    {
        Directory.CreateDirectory(folder);
        using var bitmap = new SKBitmap(32, 32);
        for (var i = 0; i < count; i++)
        {
            using (var canvas = new SKCanvas(bitmap))
            {
                canvas.Clear(SKColors.Beige);
                using var paint = new SKPaint { Color = SKColor.FromHsl(36 * i, 80, 50) };
                canvas.DrawCircle(16, 16, 6 + i / 2, paint);
            }

            using var file = File.Create(Path.Combine(folder, $"{i}.png"));
            bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string name, params IEnumerable<string> arguments)
    {
        // It has an output folder like that of the tests, next to it.
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = Path.Combine(AppContext.BaseDirectory, "..", "..", name, configuration, name + ".dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            StandardOutputEncoding = System.Text.Encoding.UTF8,
            Environment = { ["OMP_NUM_THREADS"] = "1" },
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }

    private IEnumerable<string?> Files(string folder) => Directory.EnumerateFiles(_folder[folder]).Select(Path.GetFileName).Order();
}
