using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Text;
using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Generation.Infilling;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Tests.Text.Infilling;

public sealed class TextInfillerPipelineTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _data;

    public TextInfillerPipelineTests() => _data = TinyTexts.Data(_ml);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(TinyTexts.Folders), MemberType = typeof(TinyTexts))]
    public async Task A_fine_tuned_infiller_in_a_chain_fills_the_same_in_another_process(string folder)
    {
        var pipeline = _ml.Transforms.CopyColumns("Copy", "Opening")
            .Append(_ml.Transforms.Text.FineTuneTextInfiller(
                "Filled", "Copy", "Text", TinyTexts.Options(folder, options => options.ValidationData = _data)))
            .Append(_ml.Transforms.Text.NormalizeText("Upper", "Filled", TextNormalizingEstimator.CaseMode.Upper));
        var model = pipeline.Fit(_data);
        var infiller = model.OfType<TextInfillerTransformer>().Single();
        var result = infiller.TrainingResult!;
        Assert.True(result.ValidationLoss < result.InitialValidationLoss, $"{result.InitialValidationLoss} {result.ValidationLoss}");

        var filled = model.Transform(_data).GetColumn<string>("Filled").ToArray();
        Assert.All(filled.Take(6), (text, i) => Assert.StartsWith($"The warriors of {i} were", text, StringComparison.Ordinal));
        Assert.Equal(["Nothing is hidden here", ""], filled[6..]);
        using var untrained = _ml.Transforms.Text.InfillText("Filled", "Opening", TinyTexts.PathOf(folder)).Fit(_data);
        Assert.NotEqual(untrained.Transform(_data).GetColumn<string>("Filled"), filled);

        _ml.Generation.Save(model, _data.Schema, _folder["model.zip"]);
        var (texts, _) = await LoadingProcess.RunAsync(
            _folder["model.zip"], "Filled", [.. TinyTexts.Rows.Select(row => row.Opening!)]);
        Assert.Equal(filled, texts);
        (texts, _) = await LoadingProcess.RunAsync(_folder["model.zip"], "Upper", [TinyTexts.Rows[0].Opening!]);
        Assert.Equal(filled[0].ToUpperInvariant(), texts[0]);

        using var loaded = (IDisposable)_ml.Model.Load(_folder["model.zip"], out _);
        var scores = ((ITransformer)loaded).Transform(_data).GetColumn<float[]>("Scores");
        Assert.Equal(model.Transform(_data).GetColumn<float[]>("Scores"), scores);
        model.Dispose();
    }

    [Fact]
    public void Columns_hold_what_the_engine_gives()
    {
        var options = new InfillTextOptions
        {
            Infilling = new InfillingOptions { CandidateCount = 3, BatchSize = 2 },
            TokensColumnName = "Tokens", LogProbabilitiesColumnName = "Scores",
            CandidatesColumnName = "Candidates", CandidateLogProbabilitiesColumnName = "CandidateScores",
        };
        using var model = _ml.Transforms.Text.InfillText("Filled", "Opening", TinyTexts.PathOf("bert-tiny"), options).Fit(_data);
        var view = model.Transform(_data);
        var expected = model.Model.Infill([.. TinyTexts.Rows.Select(row => row.Opening!)], model.Infilling);

        Assert.Equal(expected.Select(text => text.Text), view.GetColumn<string>("Filled"));
        Assert.Equal(
            expected.Select(text => text.Masks.Select(mask => mask.Chosen.Text)),
            view.GetColumn<ReadOnlyMemory<char>[]>("Tokens").Select(tokens => tokens.Select(token => token.ToString())));
        Assert.Equal(
            expected.Select(text => text.Masks.SelectMany(mask => mask.Candidates).Select(candidate => candidate.Text)),
            view.GetColumn<ReadOnlyMemory<char>[]>("Candidates").Select(tokens => tokens.Select(token => token.ToString())));
        foreach (var (text, scores, candidates) in
            expected.Zip(view.GetColumn<float[]>("Scores"), view.GetColumn<float[]>("CandidateScores")))
        {
            Assert.Equal(text.Masks.Count, scores.Length);
            Assert.Equal(3 * text.Masks.Count, candidates.Length);
            foreach (var (mask, score) in text.Masks.Zip(scores))
                Assert.Equal((float)mask.Chosen.LogProbability, score, 1e-4f);
            foreach (var (candidate, score) in text.Masks.SelectMany(mask => mask.Candidates).Zip(candidates))
                Assert.Equal((float)candidate.LogProbability, score, 1e-4f);
        }

        var promised = _ml.Transforms.Text.InfillText("Filled", "Opening", TinyTexts.PathOf("bert-tiny"), options)
            .GetOutputSchema(SchemaShape.Create(_data.Schema));
        Assert.Equal(
            SchemaShape.Create(view.Schema).Select(column => (column.Name, column.Kind, column.ItemType)).Order(),
            promised.Select(column => (column.Name, column.Kind, column.ItemType)).Order());
    }

    [Fact]
    public void A_prediction_engine_and_threads_give_what_Transform_gives()
    {
        var model = _ml.Transforms.Text.InfillText(
            "Filled", "Opening", TinyTexts.PathOf("distilbert-tiny"), new() { LogProbabilitiesColumnName = "Scores" }).Fit(_data);
        var expected = model.Transform(_data).GetColumn<string>("Filled").ToList();
        using (var engine = _ml.Model.CreatePredictionEngine<MaskedRow, FilledRow>(
            model, new PredictionEngineOptions { OwnsTransformer = false }))
        {
            Assert.Equal(expected, TinyTexts.Rows.Select(row => engine.Predict(row).Filled));
            Assert.Equal(2, engine.Predict(TinyTexts.Rows[0]).Scores!.Length);
        }

        Parallel.For(0, 4, _ => Assert.Equal(expected, model.Transform(_data).GetColumn<string>("Filled")));
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.Transform(_data));
    }

    [Fact]
    public void Texts_without_masks_are_written_anew_by_the_seed_of_the_context()
    {
        var options = new InfillTextOptions { Infilling = new InfillingOptions { MaskedShare = 0.4 } };
        string[] Fill(int seed)
        {
            var ml = new MLContext(seed);
            using var model = ml.Transforms.Text.InfillText("Filled", "Text", TinyTexts.PathOf("bert-tiny"), options).Fit(_data);
            return [.. model.Transform(_data).GetColumn<string>("Filled")];
        }

        var first = Fill(1);
        Assert.Equal(first, Fill(1));
        Assert.NotEqual(first, Fill(2));
        Assert.All(first.Zip(TinyTexts.Rows).Where(row => row.Second.Text!.Length > 0), row => Assert.NotEqual(row.Second.Text, row.First));
        Assert.Equal("", first[^1]);
    }

    [Fact]
    public void Training_makes_hidden_tokens_more_probable_and_evaluation_tells()
    {
        var options = TinyTexts.Options("bert-tiny");
        using var before = _ml.Generation.LoadTextInfiller(TinyTexts.PathOf("bert-tiny"));
        using var model = _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Opening", "Text", before, new()
        {
            Training = options.Training, Masking = options.Masking, ValidationData = _data,
        }).Fit(_data);

        var first = _ml.Generation.EvaluateInfilling(before, _data, "Text");
        var second = _ml.Generation.EvaluateInfilling(model, _data);
        Assert.Equal(first.MaskedTokenCount, second.MaskedTokenCount);
        Assert.Equal(first.TokenCount, second.TokenCount);
        Assert.True(second.Loss < first.Loss && second.MaskedAccuracy > first.MaskedAccuracy, $"{first} {second}");
        Assert.True(second.PseudoPerplexity < first.PseudoPerplexity, $"{first} {second}");
        var texts = TinyTexts.Rows.Select(row => row.Text!).Where(text => text.Length > 0).ToList();
        var scores = model.Model.Score(texts, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(scores.Sum(score => score.Sum) / scores.Sum(score => score.TokenCount), second.PseudoLogLikelihood!.Value, 1e-4);

        var quick = _ml.Generation.EvaluateInfilling(model, _data, options: new() { PseudoLogLikelihood = false });
        Assert.Equal(second with { PseudoLogLikelihood = null, TokenCount = 0 }, quick);
        Assert.Null(quick.PseudoPerplexity);
        Assert.Equal(
            model.Model.Evaluate(texts, 0.5, wholeWords: true, seed: 3, cancellationToken: TestContext.Current.CancellationToken).Loss,
            _ml.Generation.EvaluateInfilling(
                model, _data, options: new() { PseudoLogLikelihood = false, MaskedShare = 0.5, WholeWords = true, Seed = 3 }).Loss, 1e-5);
    }

    [Fact]
    public void Adapters_are_saved_alone_and_trained_on()
    {
        var options = TinyTexts.Options("distilbert-tiny", o => (o.Lora, o.SaveAdapterOnly) = (new LoraOptions { Rank = 4 }, true));
        using var model = _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Opening", "Text", options).Fit(_data);
        var expected = model.Transform(_data).GetColumn<string>("Filled").ToList();
        _ml.Generation.Save(model, _data.Schema, _folder["adapter.zip"]);
        Assert.True(new FileInfo(_folder["adapter.zip"]).Length < 100_000);

        using var loaded = (TextInfillerTransformer)((TransformerChain<ITransformer>)Chain(_folder["adapter.zip"])).Single();
        Assert.Equal(expected, loaded.Transform(_data).GetColumn<string>("Filled"));
        using var merged = _ml.Generation.LoadTextInfiller(_folder["adapter.zip"]);
        Assert.Null(merged.Network.Lora);
        Assert.Equal(expected[0], merged.Infill(TinyTexts.Rows[0].Opening!, cancellationToken: TestContext.Current.CancellationToken));

        var further = TinyTexts.Options("distilbert-tiny", o =>
        {
            (o.PretrainedModel, o.Lora, o.SaveAdapterOnly) = (_folder["adapter.zip"], options.Lora, true);
            o.Training = o.Training with { MaximumSteps = 2 };
        });
        using var trainedOn = _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Opening", "Text", further).Fit(_data);
        Assert.NotNull(trainedOn.Model.Network.Lora);
        Assert.True(trainedOn.TrainingResult!.InitialValidationLoss < model.TrainingResult!.InitialValidationLoss);

        ITransformer Chain(string file)
        {
            var read = _ml.Model.Load(file, out _);
            return read as TransformerChain<ITransformer> ?? new TransformerChain<ITransformer>(read);
        }
    }

    [Fact]
    public void A_saved_folder_is_a_base_with_its_published_options()
    {
        using var model = _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Opening", "Text", TinyTexts.Options("roberta-tiny", o =>
        {
            o.Training = o.Training with { MaximumSteps = 2 };
            o.Infilling = new InfillingOptions { Order = InfillingOrder.LeftToRight, CandidateCount = 2, Seed = 5 };
            o.Seed = 11;
        })).Fit(_data);
        _ml.Generation.SaveModelFolder(model, _folder["folder"]);
        Assert.Contains("left_to_right", File.ReadAllText(_folder["folder/infilling_config.json"]), StringComparison.Ordinal);
        Assert.Contains("fill-mask", File.ReadAllText(_folder["folder/README.md"]), StringComparison.Ordinal);

        using var again = _ml.Transforms.Text.InfillText("Filled", "Opening", _folder["folder"]).Fit(_data);
        Assert.Equal(model.Infilling, again.Infilling);
        Assert.Equal(model.Transform(_data).GetColumn<string>("Filled"), again.Transform(_data).GetColumn<string>("Filled"));
        using var other = _ml.Transforms.Text.InfillText("Filled", "Opening", _folder["folder"], new()
        {
            Infilling = new InfillingOptions { CandidateCount = 1 },
        }).Fit(_data);
        Assert.Equal(InfillingOrder.MostConfidentFirst, other.Infilling.Order);

        // So are those of a file and of a loaded model that is trained on.
        _ml.Generation.Save(model, _data.Schema, _folder["model.zip"]);
        using var loaded = _ml.Generation.LoadTextInfiller(_folder["model.zip"]);
        Assert.Equal(model.Infilling, loaded.Infilling);
        using var trainedOn = _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Opening", "Text", loaded, new()
        {
            Training = new() { MaximumSteps = 1, BatchSize = 2 },
        }).Fit(_data);
        Assert.Equal(model.Infilling, trainedOn.Infilling);
    }

    [Theory]
    [InlineData(DecodingPrecision.BFloat16, 0.1)]
    [InlineData(DecodingPrecision.Int8, 0.1)]
    [InlineData(DecodingPrecision.Int4, 1.5)]
    public void Other_number_formats_fill_with_almost_the_same_probabilities(DecodingPrecision precision, double tolerance)
    {
        foreach (var folder in TinyTexts.Folders.Select(row => (string)row.Data))
        {
            var options = new InfillTextOptions
            {
                Infilling = new() { Order = InfillingOrder.AllAtOnce }, LogProbabilitiesColumnName = "Scores",
            };
            using var exact = _ml.Transforms.Text.InfillText("Filled", "Opening", TinyTexts.PathOf(folder), options).Fit(_data);
            options.DecodingPrecision = precision;
            using var rounded = _ml.Transforms.Text.InfillText("Filled", "Opening", TinyTexts.PathOf(folder), options).Fit(_data);
            var (expected, actual) = (Scores(exact), Scores(rounded));
            Assert.NotEqual(expected, actual);
            foreach (var (one, other) in expected.Zip(actual))
                Assert.Equal(one, other, tolerance);

            double[] Scores(ITransformer model) =>
                [.. model.Transform(_data).GetColumn<float[]>("Scores").SelectMany(scores => scores).Select(score => (double)score)];
        }
    }

    [Fact]
    public void Runs_that_are_cancelled_are_resumed_to_the_same_weights()
    {
        using var cancellation = new CancellationTokenSource();
        using var whole = Fit("whole", resume: false, default, null);
        Assert.Throws<OperationCanceledException>(() => Fit("cut", resume: false, cancellation.Token, new Callback(report =>
        {
            if (report.Step == 5)
                cancellation.Cancel();
        })));
        using var resumed = Fit("cut", resume: true, default, null);
        Assert.Equal(whole.Model.Network.ComputeFingerprint(), resumed.Model.Network.ComputeFingerprint());

        TextInfillerTransformer Fit(string name, bool resume, CancellationToken token, IProgress<TrainingProgress>? progress) =>
            _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Opening", "Text", TinyTexts.Options("bert-tiny", o =>
            {
                (o.Seed, o.CancellationToken, o.Progress) = (2, token, progress);
                o.Training = o.Training with { MaximumSteps = 8, OutputDirectory = _folder[name], CheckpointSteps = 3, Resume = resume };
            })).Fit(_data);
    }

    [Fact]
    public void Long_texts_become_rows_with_special_tokens_around_each_and_short_ones_share_rows()
    {
        var text = string.Join(' ', Enumerable.Repeat("The warriors were ready upon the hills.", 30));
        var data = _ml.Data.LoadFromEnumerable(
            new[] { new MaskedRow { Opening = "[MASK]", Text = text } }.Concat(TinyTexts.Rows));
        var estimator = _ml.Transforms.Text.FineTuneTextInfiller("Filled", "Opening", "Text", TinyTexts.Options("bert-tiny", o =>
        {
            (o.MaximumLength, o.ValidationFraction) = (48, 0);
            o.Training = o.Training with { MaximumSteps = 2 };
        }));
        var report = estimator.DescribeTrainingData(data);
        using var model = estimator.Fit(data);
        var tokens = model.Model.Tokenizer.Encode(text, addSpecialTokens: false).Length;
        var pieces = (tokens + 45) / 46;
        var others = TinyTexts.Rows.Where(row => row.Text!.Length > 0).Sum(row => model.Model.Tokenizer.Encode(row.Text!).Length);
        Assert.Equal((8, 1, 1), (report.Texts, report.EmptyTexts, report.CutTexts));
        Assert.Equal(tokens + 2 * pieces + others, report.Tokens);
        Assert.True(report.Rows < pieces + 7);
    }

    private sealed class Callback(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }
}
