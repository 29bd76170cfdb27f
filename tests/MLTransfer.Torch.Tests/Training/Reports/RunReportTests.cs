using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Tests.Training.Adversarial;
using MLTransfer.Torch.Tests.Training.Described;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Reports;
using SkiaSharp;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Reports;

/// <summary>What runs of every kind answer while they train, and the page over them.</summary>
[Collection(ProcessWideState.Name)]
public sealed partial class RunReportTests : IDisposable
{
    private const string Hostile = "<script>alert('1')</script> & \u0001";

    private static readonly TextTokenizer s_tokenizer = TextTokenizer.Load(RepositoryFiles.Data("gpt2-tiny"));

    private readonly TemporaryFolder _folders = new();

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folders.Dispose();

    [Theory]
    [InlineData(TinyRunKind.Improving, Precision.Float32)]
    [InlineData(TinyRunKind.Improving, Precision.BFloat16)]
    [InlineData(TinyRunKind.Adapters, Precision.BFloat16)] // frozen weights wait in a file
    internal void Prompts_are_answered_at_each_evaluation_and_move_no_number(TinyRunKind kind, Precision precision)
    {
        var (_, plain) = Train(kind, "plain", options => options with { Precision = precision, SamplePrompts = [] });
        List<TrainingProgress> reports = [];
        var (generator, asked) = Train(
            kind, "asked", options => options with { Precision = precision, KeepBestModel = false, TensorBoard = true },
            new ProgressCallback(reports.Add));

        Assert.Equal(plain.Weights.Keys, asked.Weights.Keys);
        Assert.All(plain.Weights, weight => Assert.Equal(weight.Value, asked.Weights[weight.Key]));
        Assert.Equal(Losses("plain"), Losses("asked"));
        int[] steps = [0, 2, 4, 6, 8, 10, 12, 14];
        Assert.Equal(steps, Answers("asked").Select(line => line["step"]!.GetValue<int>()).Distinct());
        Assert.Equal(steps, reports.Where(report => report.Answers.Count == 2).Select(report => report.Step));
        Assert.Equal(["Once", Hostile], Answers("asked").Take(2).Select(line => line["input"]!.GetValue<string>()));
        if (precision == Precision.Float32)
            Assert.Equal(generator, Answers("asked").TakeLast(2).Select(line => line["text"]!.GetValue<string>()));
    }

    [Fact]
    public void Sampled_answers_come_from_the_runs_seed()
    {
        LanguageTrainingOptions Sampled(LanguageTrainingOptions options) =>
            options with { SampleGeneration = new() { Sample = true, MaximumNewTokens = 12 } };
        Train(TinyRunKind.Improving, "one", Sampled);
        Train(TinyRunKind.Improving, "two", Sampled);
        Assert.Equal(File.ReadAllText(_folders["one/answers.jsonl"]), File.ReadAllText(_folders["two/answers.jsonl"]));
        Train(TinyRunKind.Improving, "greedy", options => options);
        Assert.NotEqual(File.ReadAllText(_folders["one/answers.jsonl"]), File.ReadAllText(_folders["greedy/answers.jsonl"]));
    }

    [Fact]
    public void A_resumed_run_keeps_the_answers_of_its_earlier_part()
    {
        Train(TinyRunKind.Improving, "whole", options => options with { TensorBoard = true });
        using (var source = new CancellationTokenSource())
        {
            var cancel = new ProgressCallback(report =>
            {
                if (report.Step == 8)
                    source.Cancel();
            });
            Assert.Throws<OperationCanceledException>(
                () => Train(TinyRunKind.Improving, "cut", options => options with { TensorBoard = true }, cancel, source.Token));
        }

        Assert.Equal([0, 2, 4, 6], Answers("cut").Select(line => line["step"]!.GetValue<int>()).Distinct());
        Assert.Contains("was cancelled after step 8", Page("cut"), StringComparison.Ordinal);
        Assert.DoesNotContain("<th>8</th>", Page("cut"), StringComparison.Ordinal);

        Train(TinyRunKind.Improving, "cut", options => options with { TensorBoard = true, Resume = true });
        Assert.Equal(File.ReadAllText(_folders["whole/answers.jsonl"]), File.ReadAllText(_folders["cut/answers.jsonl"]));
        Assert.Equal(
            EventFile.Scalars(_folders["whole/tensorboard"]).Where(scalar => scalar.Tag is "loss" or "eval_loss"),
            EventFile.Scalars(_folders["cut/tensorboard"]).Where(scalar => scalar.Tag is "loss" or "eval_loss"));
    }

    [Fact]
    public void Nothing_is_left_of_a_run_that_is_cancelled_before_its_first_checkpoint()
    {
        using var source = new CancellationTokenSource();
        var cancel = new ProgressCallback(report =>
        {
            if (report.Step == 2)
                source.Cancel();
        });
        Assert.Throws<OperationCanceledException>(
            () => Train(TinyRunKind.Improving, "cut", options => options with { TensorBoard = true }, cancel, source.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_folders["cut"]));
    }

    [Fact]
    public void The_page_shows_curves_answers_and_options_and_nothing_of_it_runs_or_loads()
    {
        Train(TinyRunKind.Improving, "run", options => options);
        var page = Page("run");
        AssertStandsAlone(page);
        Assert.Contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; \uFFFD", page, StringComparison.Ordinal);
        Assert.Contains("loss by step", page, StringComparison.Ordinal);
        Assert.Contains("learning_rate by step", page, StringComparison.Ordinal);
        Assert.Contains(">eval_loss</text>", page, StringComparison.Ordinal);
        Assert.Contains("<th>14</th><td class=\"text\">", page, StringComparison.Ordinal);
        Assert.Contains("Step 14 of 14", page, StringComparison.Ordinal);
        Assert.Matches("<tr><th>LearningRate</th><td class=\"text\">0.002", page);
        Assert.Matches("<tr class=\"usual\"><th>AdamBeta1</th><td class=\"text\">0.9", page);
        Assert.Contains("Finished.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv=\"refresh\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_of_a_run_that_goes_on_tells_the_time_left()
    {
        var pages = new List<string>();
        Train(TinyRunKind.Improving, "run", options => options, new ProgressCallback(report =>
        {
            if (report.Step == 5) // the page is that of step 4
                pages.Add(Page("run"));
        }));
        Assert.Matches("Step 4 of 14, [0-9]+ min [0-9]+ s so far, about [0-9]+ min [0-9]+ s left", Assert.Single(pages));
        Assert.Contains("http-equiv=\"refresh\"", pages[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_run_in_the_folder_begins_without_what_another_left()
    {
        Train(TinyRunKind.Improving, "run", options => options with { TensorBoard = true });
        Directory.CreateDirectory(_folders["run/answers"]);
        File.WriteAllText(_folders["run/answers/0000004-1.png"], "an earlier run's");
        File.WriteAllText(_folders["run/answers/mine.png"], "the user's own");
        Train(TinyRunKind.Improving, "run", options => options with { SamplePrompts = [] });
        Assert.False(File.Exists(_folders["run/answers.jsonl"]));
        Assert.Equal(["mine.png"], Directory.GetFiles(_folders["run/answers"]).Select(Path.GetFileName));
        Assert.False(Directory.Exists(_folders["run/tensorboard"]));
        Assert.DoesNotContain("<h2>Answers</h2>", Page("run"), StringComparison.Ordinal);
    }

    [Fact]
    public void Prompts_without_a_tokenizer_are_refused()
    {
        using var model = TinyRun.LoadModel();
        var options = new LanguageTrainingOptions { SamplePrompts = ["Once"] };
        var error = Assert.Throws<ArgumentException>(() => new LanguageModelTrainer(model, options, TinyRun.Rows));
        Assert.Contains("SamplePrompts", error.Message);
        Assert.Contains(
            "OutputDirectory", Assert.Throws<ArgumentException>(
                () => new LanguageModelTrainer(model, new LanguageTrainingOptions { TensorBoard = true }, TinyRun.Rows)).Message);
    }

    [Fact]
    public void Event_files_hold_scalars_texts_and_pictures()
    {
        Train(TinyRunKind.Improving, "texts", options => options with { TensorBoard = true });
        var scalars = EventFile.Scalars(_folders["texts/tensorboard"]);
        Assert.Equal(
            Losses("texts").Select(point => (point.Step, (float)point.Loss)),
            scalars.Where(scalar => scalar.Tag == "loss").Select(scalar => (scalar.Step, (float)scalar.Value)));
        Assert.Contains(scalars, scalar => scalar is { Tag: "eval_loss", Step: 14 });
        Assert.Equal(
            Answers("texts").Select(line => line["text"]!.GetValue<string>()),
            EventFile.Read(_folders["texts/tensorboard"]).SelectMany(e => e.Summary?.Value ?? [])
                .Where(value => value.Metadata?.PluginData.PluginName == "text").Select(value => value.Tensor.StringVal[0].ToStringUtf8()));

        using var images = TinyImages.Create();
        using var model = TinyImages.CreateModel();
        new StyleGan2Trainer(model, TinyImages.Options(_folders["pictures"]) with { SampleSeeds = [3], TensorBoard = true }, images)
            .Train(cancellationToken: TestCancellation);
        var picture = EventFile.Read(_folders["pictures/tensorboard"]).SelectMany(e => e.Summary?.Value ?? [])
            .Last(value => value.Tag == "answers/seed_3").Image;
        Assert.Equal((16, 16), (picture.Width, picture.Height));
        using var decoded = SKBitmap.Decode(picture.EncodedImageString.ToByteArray());
        using var file = SKBitmap.Decode(_folders["pictures/answers/0000006-2.png"]);
        Assert.Equal(file.GetPixel(5, 7), decoded.GetPixel(5, 7));
    }

    [Fact]
    public void Seeds_become_pictures_beside_the_grids_and_move_no_number()
    {
        using var images = TinyImages.Create();
        using var plain = TinyImages.CreateModel();
        new StyleGan2Trainer(plain, TinyImages.Options(folder: null), images).Train(cancellationToken: TestCancellation);
        using var asked = TinyImages.CreateModel();
        var options = TinyImages.Options(_folders["run"]) with { SampleSeeds = [3, 1000] };
        new StyleGan2Trainer(asked, options, images).Train(cancellationToken: TestCancellation);

        Assert.Equal(TinyImages.Bytes(plain), TinyImages.Bytes(asked));
        string[] expected =
        [
            "0 5 samples samples-0000000.png", "0 seed 3 answers/0000000-2.png", "0 seed 1000 answers/0000000-3.png",
            "4 5 samples samples-0000016.png", "4 seed 3 answers/0000004-2.png", "4 seed 1000 answers/0000004-3.png",
            "6 5 samples samples-0000024.png", "6 seed 3 answers/0000006-2.png", "6 seed 1000 answers/0000006-3.png",
        ];
        Assert.Equal(expected, Answers("run").Select(line => $"{line["step"]} {line["input"]} {line["file"]}"));
        AssertPictureOf(asked, 1000, _folders["run/answers/0000006-3.png"]);
        AssertStandsAlone(Page("run"));
        Assert.Equal(9, Regex.Count(Page("run"), "<img alt=\"\" src=\"data:image/png;base64,"));

        void AssertPictureOf(StyleGan2Model model, long seed, string path)
        {
            using var scope = NewDisposeScope();
            using var random = new Generator((ulong)seed);
            var made = model.Generator.Generate(
                randn([1, 16], generator: random), noise: NoiseMode.Constant);
            using var picture = SKBitmap.Decode(path);
            var green = (made[0, 1, 7, 5].item<float>() + 1) * 127.5; // of row 7, column 5
            Assert.Equal(Math.Clamp(green, 0, 255), picture.GetPixel(5, 7).Green, 0.51);
        }
    }

    [Fact]
    public void Rows_of_a_network_are_told_with_what_was_expected_and_move_no_number()
    {
        var (training, validation) = (ArrayRows.Random(20, 6, 3, seed: 1), ArrayRows.Random(7, 6, 3, seed: 2));
        using var plain = Train(0);
        using var asked = Train(2);

        Assert.Equal(Values(plain), Values(asked));
        Assert.Equal(
            ["0 row 0", "0 row 1", "3 row 0", "3 row 1", "6 row 0", "6 row 1"],
            Answers("rows-2").Select(line => $"{line["step"]} {line["input"]}"));
        var (target, last) = (new float[3], Answers("rows-2")[^1]);
        validation.ReadTarget(1, target);
        Assert.Equal(target, last["expected"]!.AsArray().Select(number => number!.GetValue<float>()));
        Assert.Equal(
            asked.Compute(1, (_, values) => validation.ReadInput(1, values)),
            last["numbers"]!.AsArray().Select(number => number!.GetValue<float>()), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Contains("<tr><th>expected</th><td>", Page("rows-2"), StringComparison.Ordinal);
        AssertStandsAlone(Page("rows-2"));

        TransferNetwork Train(int samples)
        {
            var network = TransferNetwork.Create(null, [Layer.Dense(8), Layer.Dropout(0.2), Layer.Dense(3)], [6], seed: 3);
            var options = new ModuleTrainingOptions
            {
                NumberOfEpochs = 2, BatchSize = 8, SampleRows = samples, KeepBestModel = false, OutputDirectory =
                    _folders[$"rows-{samples}"],
            };
            new NetworkTrainer(network, options).TrainNow(training, validation);
            return network;
        }

        static byte[] Values(TransferNetwork network) => [.. network.State.SelectMany(tensor => tensor.Value.bytes.ToArray())];
    }

    [Fact]
    public void Sounds_are_played_by_the_page()
    {
        var page = RunPage.Create(
            "run", new RunStatus(1, 2, TimeSpan.Zero, null), new RunCurves(),
            [(1, new MediaAnswer("a voice", MediaAnswer.Sound, [1, 2, 3]))], []);
        Assert.Contains("<audio controls src=\"data:audio/wav;base64,AQID\"></audio>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_evaluations_the_page_shows_the_first_the_last_and_some_between()
    {
        var page = RunPage.Create(
            "run", new RunStatus(1, 2, TimeSpan.Zero, null), new RunCurves(),
            [.. Enumerable.Range(0, 500).Select(step => (step, (SampleAnswer)new TextAnswer("a", "b")))], []);
        Assert.Equal(24, Regex.Count(page, "<tr><th>"));
        Assert.Contains("<th>0</th>", page, StringComparison.Ordinal);
        Assert.Contains("<th>499</th>", page, StringComparison.Ordinal);
        Assert.Contains("24 of 500", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_curve_is_drawn_with_its_peaks()
    {
        var points = Enumerable.Range(1, 100_000).Select(step => (step, step == 54_321 ? 7.5 : 1)).ToList();
        var svg = CurveChart.ToSvg([KeyValuePair.Create("loss", points)]);
        Assert.InRange(svg.Length, 2_000, 30_000);
        Assert.Contains(Regex.Matches(svg, @"\d+\.?\d*,(\d+\.?\d*)").Select(match => match.Groups[1].Value), y => double.Parse(
            y, System.Globalization.CultureInfo.InvariantCulture) < 60);
    }

    private (IEnumerable<string> Final, (IReadOnlyDictionary<string, byte[]> Weights, TrainingResult Result)) Train(
        TinyRunKind kind, string name, Func<LanguageTrainingOptions, LanguageTrainingOptions> change, ProgressCallback? progress = null,
        CancellationToken? cancellation = null)
    {
        using var model = TinyRun.CreateModel(kind);
        var options = change(TinyRun.Options(kind, _folders[name]) with
        {
            SamplePrompts = ["Once", Hostile], SampleGeneration = new() { MaximumNewTokens = 6 }, KeepBestModel = false,
        });
        var result = new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.Rows, s_tokenizer)
            .Train(progress, cancellation ?? TestCancellation);
        string[] prompts = ["Once", Hostile];
        var texts = new TextGenerator(model, s_tokenizer).Generate(prompts, options.SampleGeneration, TestCancellation);
        return ([.. texts.Select(text => text[0].Text)], (WeightBytes.Of(model), result));
    }

    private static void AssertStandsAlone(string page)
    {
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http://", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("https://", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch("(src|href)\\s*=\\s*\"(?!data:)", page);
        Assert.DoesNotMatch("(?i)<(link|iframe|object|embed|base)\\b|url\\(|@import", page);
        Assert.DoesNotMatch("(?i)<[^>]*\\son[a-z]+\\s*=", page);
    }

    private string Page(string run) => File.ReadAllText(_folders[$"{run}/run.html"]);

    private List<JsonNode> Answers(string run) =>
        [.. File.ReadLines(_folders[$"{run}/answers.jsonl"]).Select(line => JsonNode.Parse(line)!)];

    private List<(int Step, double Loss)> Losses(string run) =>
    [
        .. File.ReadLines(_folders[$"{run}/metrics.jsonl"]).Select(line => JsonNode.Parse(line)!).Where(line => line["loss"] is not null)
            .Select(line => (line["step"]!.GetValue<int>(), line["loss"]!.GetValue<double>())),
    ];
}
