using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text.Preferences;

/// <summary>Tuning by preferences in a pipeline.</summary>
public sealed class TextPreferenceTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;
    private readonly IDataView _heldOut;

    public TextPreferenceTests()
    {
        _data = _ml.Data.LoadFromEnumerable(TinyPreferences.Rows(12));
        _heldOut = _ml.Data.LoadFromEnumerable(TinyPreferences.Rows(20).Skip(12));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // all weights
    public void What_was_chosen_becomes_more_probable_and_a_loaded_zip_writes_and_measures_the_same(bool adapters)
    {
        var reports = new List<TrainingProgress>();
        var pipeline = _ml.Transforms.CopyColumns("Question", "Prompt").Append(Tune(options =>
        {
            options.Lora = adapters ? options.Lora : null;
            options.Progress = new Recorder(reports);
        }, input: "Question"));
        using var before = _ml.Generation.LoadPretrained(TestData.TinyModel);
        var untuned = _ml.Generation.EvaluatePreferences(before, _heldOut, before, new PreferenceEvaluationOptions
        {
            PromptColumnName = "Prompt", ChosenColumnName = "Chosen", RejectedColumnName = "Rejected",
        });

        var model = pipeline.Fit(_data);

        using var generator = model.LastTransformer;
        var tuned = _ml.Generation.EvaluatePreferences(model, _heldOut, before);
        Assert.Equal((0, 0.0, 0.0), (untuned.RewardAccuracy, untuned.RewardMargin, untuned.ChosenReward));
        Assert.Equal(Math.Log(2), untuned.Loss, 1e-9);
        Assert.Equal((8, 1.0), (tuned.PairCount, tuned.RewardAccuracy));
        Assert.True(tuned.RewardMargin > 0.3 && tuned.Loss < 0.6, $"{tuned}");
        Assert.True(
            tuned.ChosenLogProbability - tuned.RejectedLogProbability > untuned.ChosenLogProbability - untuned.RejectedLogProbability);
        var last = reports[^1];
        Assert.True(last.Preferences!.RewardMargin > reports[1].Preferences!.RewardMargin);
        Assert.Equal(last.ValidationLoss, last.ValidationPreferences!.Loss);
        Assert.Equal(last.ValidationPreferences, generator.TrainingResult!.ValidationPreferences);

        _ml.Generation.Save(model, _data.Schema, _folder["tuned.zip"]);
        var loaded = _ml.Model.Load(_folder["tuned.zip"], out _);
        Assert.Equal(Texts(model.Transform(_heldOut)), Texts(loaded.Transform(_heldOut)));
        Assert.Equal(tuned, _ml.Generation.EvaluatePreferences(loaded, _heldOut, before)); // it knows its columns
        var tokens = generator.Model.Tokenizer.Encode(TinyPreferences.Rows(1)[0].Chosen).Length + 1; // and the one that ends it
        Assert.Equal(8 * tokens, _ml.Generation.Evaluate(loaded, _heldOut).TokenCount); // chosen texts are its completions
    }

    [Fact]
    public void Ranked_texts_are_the_pairs_of_their_prompts()
    {
        using var paired = Tune().Fit(_data);
        var ranked = _ml.Data.LoadFromEnumerable(TinyPreferences.Ranked(12));
        using var byStars = TuneRanked(nameof(RankedRow.Stars)).Fit(ranked);
        using var byGood = TuneRanked(nameof(RankedRow.IsGood)).Fit(ranked);

        var expected = TransformerWeights.Bytes(paired);
        Assert.Equal(expected, TransformerWeights.Bytes(byStars));
        Assert.Equal(expected, TransformerWeights.Bytes(byGood));
        using var before = _ml.Generation.LoadPretrained(TestData.TinyModel);
        Assert.Equal(
            _ml.Generation.EvaluatePreferences(paired, _data, before), _ml.Generation.EvaluatePreferences(byStars, ranked, before));
    }

    [Fact]
    public void All_rows_of_a_prompt_with_different_scores_make_pairs_and_are_held_out_together()
    {
        var rows = TinyPreferences.Ranked(3).Concat(TinyPreferences.Ranked(1)).ToList(); // prompt 0 twice: two good and two bad answers
        rows.Add(new RankedRow { Prompt = rows[0].Prompt, Answer = " Hm.", Stars = float.NaN });
        rows.Add(new RankedRow { Prompt = rows[0].Prompt, Stars = 1 });
        var report = TuneRanked(nameof(RankedRow.Stars), options => options.ValidationFraction = 0.1)
            .DescribeTrainingData(_ml.Data.LoadFromEnumerable(rows));
        Assert.Equal((6, 2, 3, 5, 1), (
            (int)report.Pairs, (int)report.EmptyRows, (int)report.DuplicatePairs, report.TrainingPairs, report.EvaluationPairs));

        report = TuneRanked(nameof(RankedRow.Stars), options => options.ValidationFraction = 0.1)
            .DescribeTrainingData(_ml.Data.LoadFromEnumerable(TinyPreferences.Ranked(1).Concat(rows)));
        Assert.Equal((11, 10, 1), ((int)report.Pairs, report.TrainingPairs, report.EvaluationPairs));
        report = TuneRanked(nameof(RankedRow.Stars), options => options.ValidationFraction = 0.2) // 2 of 11 end within no prompt
            .DescribeTrainingData(_ml.Data.LoadFromEnumerable(rows.Skip(2).Concat(rows.Take(2))));
        Assert.Equal((6, 4), ((int)report.Pairs, report.EvaluationPairs)); // all pairs of the last prompt
    }

    [Fact]
    public void A_base_that_was_tuned_before_is_its_own_reference_whatever_its_form()
    {
        using var first = Tune(options => options.SaveAdapterOnly = true).Fit(_data);
        _ml.Model.Save(first, _data.Schema, _folder["first.zip"]);
        _ml.Generation.SaveModelFolder(first, _folder["first"]);
        TextPreferenceOptions[] forms =
        [
            TinyPreferences.Options(options => options.PretrainedModel = _folder["first"]),
            TinyPreferences.Options(options => // other adapters: those of the base become part of its weights
                (options.PretrainedModel, options.Lora) = (_folder["first.zip"], new LoraOptions { Rank = 2 })),
            TinyPreferences.Options(options => (options.PretrainedModel, options.BaseModel, options.Lora) =
                (PretrainedModels.Tales, first, null)),
            TinyPreferences.Options(options => // the same adapters go on
            {
                options.PretrainedModel = _folder["first.zip"];
                options.Training = options.Training with { Reference = PreferenceReference.Start };
            }),
        ];
        foreach (var options in forms)
        {
            using var model = _ml.Transforms.Text.TunePreferences("Out", "Prompt", "Chosen", "Rejected", options).Fit(_data);
            Assert.InRange(Math.Abs(model.TrainingResult!.History[1].Preferences!.RewardMargin), 0, 1e-4);
            Assert.True(model.TrainingResult.History[^1].Preferences!.RewardMargin > 0.05);
        }

        using var goesOn = Tune(options => options.PretrainedModel = _folder["first.zip"]).Fit(_data);
        Assert.True(goesOn.TrainingResult!.History[1].Preferences!.RewardMargin > 0.1); // the adapters were trained before
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_from_its_checkpoint_to_the_same_weights()
    {
        using var whole = Tune(Kept("whole")).Fit(_data);
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Tune(options =>
        {
            Kept("cut")(options);
            options.Progress = new Recorder([], report =>
            {
                if (report.Step == 4)
                    cancellation.Cancel();
            });
            options.CancellationToken = cancellation.Token;
        }).Fit(_data).Dispose());
        using var resumed = Tune(Kept("cut")).Fit(_data);

        Assert.Equal(TransformerWeights.Bytes(whole), TransformerWeights.Bytes(resumed));
        Assert.True(File.Exists(Path.Combine(_folder["cut"], "loss.png")));

        Action<TextPreferenceOptions> Kept(string folder) => options => options.Training = options.Training with
        {
            OutputDirectory = _folder[folder], CheckpointSteps = 2, Resume = true,
        };
    }

    [Fact]
    public void Memory_is_told_and_refused_before_a_run()
    {
        var options = TinyPreferences.Options();
        options.MaximumLength = 64;
        var pair = _ml.Generation.EstimateMemory(options);
        options.Training = options.Training with { BatchSize = 64 };
        Assert.True(_ml.Generation.EstimateMemory(options).Activations > 4 * pair.Activations);
        Assert.Throws<InsufficientMemoryException>(
            () => Tune(o => o.Training = o.Training with { MemoryLimit = 1 << 20 }).Fit(_data).Dispose());
    }

    private TextPreferenceEstimator Tune(Action<TextPreferenceOptions>? change = null, string input = "Prompt") =>
        _ml.Transforms.Text.TunePreferences("Out", input, "Chosen", "Rejected", TinyPreferences.Options(change));

    private TextPreferenceEstimator TuneRanked(string score, Action<TextPreferenceOptions>? change = null) =>
        _ml.Transforms.Text.TunePreferences("Out", "Prompt", options: TinyPreferences.Options(options =>
        {
            (options.RankedColumnName, options.ScoreColumnName) = (nameof(RankedRow.Answer), score);
            change?.Invoke(options);
        }));

    private static List<string> Texts(IDataView view) => [.. view.GetColumn<string>("Out")];

    private sealed class Recorder(List<TrainingProgress> reports, Action<TrainingProgress>? also = null) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            reports.Add(value);
            also?.Invoke(value);
        }
    }
}
