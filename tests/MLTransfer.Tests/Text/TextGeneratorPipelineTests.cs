using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Text;
using Xunit;

namespace MLTransfer.Tests.Text;

public class TextGeneratorPipelineTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Stock_transforms_before_and_after_compose()
    {
        var rows = TestData.Stories(6).ToList();
        rows[2].Number = float.NaN;
        var data = _ml.Data.FilterRowsByMissingValues(_ml.Data.LoadFromEnumerable(rows), "Number");
        var pipeline = _ml.Transforms.Concatenate("Features", "Number")
            .Append(_ml.Transforms.Text.NormalizeText("Normalized", "Opening", TextNormalizingEstimator.CaseMode.Lower))
            .Append(_ml.Transforms.CopyColumns("Prompt", "Normalized"))
            .Append(
                _ml.Transforms.CustomMapping<Story, Numbered>((story, numbered) => numbered.Doubled = story.Number * 2, contractName: null))
            .AppendCacheCheckpoint(_ml)
            .Append(_ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Prompt", "Text", Tiny()))
            .Append(_ml.Transforms.CopyColumns("Copy", "Continuation"))
            .Append(_ml.Transforms.Text.NormalizeText("Upper", "Continuation", TextNormalizingEstimator.CaseMode.Upper))
            .Append(_ml.Transforms.DropColumns("Normalized"))
            .Append(_ml.Transforms.SelectColumns("Prompt", "Continuation", "Copy", "Upper", "Doubled", "Number"));

        var view = pipeline.Fit(data).Transform(data);

        var continuations = view.GetColumn<string>("Continuation").ToList();
        Assert.Equal(5, continuations.Count);
        Assert.Equal(continuations, view.GetColumn<string>("Copy"));
        Assert.Equal(["story 0: the old man", "story 1: the old man"], view.GetColumn<string>("Prompt").Take(2));
        Assert.Equal([0f, 2, 6, 8, 10], view.GetColumn<float>("Doubled"));
        Assert.Equal(
            ["Prompt", "Continuation", "Copy", "Upper", "Doubled", "Number"], view.Schema.Where(c => !c.IsHidden).Select(c => c.Name));
        Assert.Equal(5, view.Preview().RowView.Length);
        Assert.Equal(continuations.Take(2), _ml.Data.TakeRows(view, 2).GetColumn<string>("Continuation"));
    }

    [Fact]
    public void The_output_column_may_replace_the_input_column()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        var generation = new GenerationOptions { MaximumNewTokens = 4 };
        var options = new GenerateTextOptions { Generation = generation };
        using var model = _ml.Transforms.Text.GenerateText("Opening", model: TestData.TinyModel, options: options).Fit(data);

        var texts = model.Transform(data).GetColumn<string>("Opening");

        Assert.Equal(TestData.Stories(2).Select(story => model.Model.Generate(story.Opening!, generation)), texts);
    }

    [Fact]
    public void Prediction_engine_gives_what_Transform_gives()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(5));
        var model = _ml.Transforms.CopyColumns("Prompt", "Opening")
            .Append(_ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Prompt", "Text", Tiny())).Fit(data);
        using var engine = _ml.Model.CreatePredictionEngine<Story, Continued>(model);

        var single = TestData.Stories(5).Select(story => engine.Predict(story).Continuation);

        Assert.Equal(model.Transform(data).GetColumn<string>("Continuation"), single);
    }

    [Fact]
    public void Folds_of_a_cross_validation_are_trained_and_evaluated()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(12));
        var estimator = _ml.Transforms.Text.FineTuneTextGenerator(
            "Continuation", "Opening", "Text", Tiny(options => options.Training = options.Training with { MaximumSteps = 4 }));

        foreach (var fold in _ml.Data.CrossValidationSplit(data, numberOfFolds: 2))
        {
            using var model = estimator.Fit(fold.TrainSet);
            Assert.True(_ml.Generation.Evaluate(model, fold.TestSet).Loss < model.TrainingResult!.InitialValidationLoss);
        }

        var split = _ml.Data.TrainTestSplit(data, testFraction: 0.3);
        using var trained = estimator.Fit(split.TrainSet);
        Assert.All(trained.Transform(split.TestSet).GetColumn<string>("Continuation"), Assert.NotNull);
    }

    [Fact]
    public void Empty_data_has_nothing_to_train_on_and_an_empty_result()
    {
        var empty = _ml.Data.LoadFromEnumerable(Array.Empty<Story>());
        var estimator = _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", "Text", Tiny());
        var exception = Assert.Throws<ArgumentException>(() => estimator.Fit(empty));
        Assert.Contains("nothing to train on", exception.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("'Text'", exception.Message, StringComparison.Ordinal);

        using var model = _ml.Transforms.Text.GenerateText("Continuation", "Opening", TestData.TinyModel).Fit(empty);
        Assert.Empty(model.Transform(empty).GetColumn<string>("Continuation"));
    }

    [Fact]
    public void A_very_long_row_is_cut_into_several()
    {
        var text = string.Concat(Enumerable.Range(0, 400).Select(i => $"The old man {i} went home. "));
        var data = _ml.Data.LoadFromEnumerable(new[] { new Story { Opening = "The", Text = text } });

        using var model = _ml.Transforms.Text.FineTuneTextGenerator(
            "Continuation", "Opening", "Text", Tiny(options => options.Training = options.Training with { MaximumSteps = 3 })).Fit(data);

        Assert.NotNull(model.TrainingResult!.InitialValidationLoss); // the end of the text
        Assert.NotEmpty(model.Transform(data).GetColumn<string>("Continuation").Single());
    }

    [Fact]
    public void A_missing_column_is_named_before_the_model_is_looked_for()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        var options = Tiny(o => o.PretrainedModel = "/there/is/no/such/folder");

        foreach (var (estimator, name) in new (IEstimator<TextGeneratorTransformer>, string)[]
        {
            (_ml.Transforms.Text.FineTuneTextGenerator("Out", "Promt", "Text", options), "input column 'Promt'"),
            (_ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Txt", options), "training column 'Txt'"),
            (_ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", null, Tiny(o => o.CompletionColumnName = "Answer")),
                "completion column 'Answer'"),
            (_ml.Transforms.Text.GenerateText("Out", "Promt", "/there/is/no/such/folder"), "input column 'Promt'"),
        })
        {
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => estimator.Fit(data)).Message, StringComparison.Ordinal);
            var source = new CountingDataView(data);
            var chain = _ml.Transforms.NormalizeMeanVariance("Normalized", "Number").Append(estimator);
            var exception = Assert.Throws<ArgumentException>(() => chain.Fit(source)); // before anything is fitted
            Assert.Equal(0, source.RowsRead);
            Assert.Contains(name, exception.Message, StringComparison.Ordinal);
            Assert.Contains("'Number'", exception.Message, StringComparison.Ordinal); // what there is instead
        }
    }

    [Fact]
    public void A_column_of_another_type_is_named_with_its_type()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        var estimator = _ml.Transforms.Text.GenerateText("Out", "Number", TestData.TinyModel);

        var exception = Assert.Throws<ArgumentException>(() => estimator.Fit(data));
        Assert.Equal("Schema mismatch for input column 'Number': expected text, got Single.", exception.Message);

        using var fitted = _ml.Transforms.Text.GenerateText("Out", "Opening", TestData.TinyModel).Fit(data);
        var renamed = _ml.Transforms.CopyColumns("Opening", "Number").Fit(data).Transform(data);
        var refused = Assert.Throws<ArgumentException>(() => fitted.GetOutputSchema(renamed.Schema)).Message;
        Assert.Contains("'Opening': expected text, got Single", refused, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => fitted.Transform(renamed));
    }

    [Fact]
    public void The_schema_shape_is_that_of_the_fitted_transformer()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(2));
        var estimator = _ml.Transforms.Text.GenerateText(
            "Out", "Opening", TestData.TinyModel,
            new GenerateTextOptions { TokenIdsColumnName = "Ids", LogProbabilitiesColumnName = "Scores" });

        var promised = estimator.GetOutputSchema(SchemaShape.Create(data.Schema));
        using var model = estimator.Fit(data);
        var made = SchemaShape.Create(model.GetOutputSchema(data.Schema));

        Assert.Equal(Sorted(made), Sorted(promised));

        static IEnumerable<object> Sorted(SchemaShape shape) =>
            shape.OrderBy(c => c.Name).Select(c => (object)(c.Name, c.Kind, c.ItemType));
    }

    [Fact]
    public void Null_arguments_are_refused()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(1));
        var estimator = _ml.Transforms.Text.GenerateText("Out", "Opening", TestData.TinyModel);
        using var model = estimator.Fit(data);

        Assert.Throws<ArgumentNullException>(() => estimator.Fit(null!));
        Assert.Throws<ArgumentNullException>(() => estimator.GetOutputSchema(null!));
        Assert.Throws<ArgumentNullException>(() => model.Transform(null!));
        Assert.Throws<ArgumentNullException>(() => model.GetOutputSchema(null!));
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.Text.GenerateText(null!, "Opening"));
    }

    internal static TextGeneratorOptions Tiny(Action<TextGeneratorOptions>? change = null)
    {
        var options = new TextGeneratorOptions
        {
            PretrainedModel = TestData.TinyModel,
            Training = new LanguageTrainingOptions { MaximumSteps = 2, BatchSize = 2, LearningRate = 5e-3 },
            Generation = new GenerationOptions { MaximumNewTokens = 5 },
        };
        change?.Invoke(options);
        return options;
    }

    private sealed class Numbered
    {
        public float Doubled { get; set; }
    }
}
