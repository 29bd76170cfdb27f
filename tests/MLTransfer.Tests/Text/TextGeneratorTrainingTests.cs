using System.Globalization;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

public class TextGeneratorTrainingTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Training_on_completions_lowers_their_loss_and_only_theirs_counts()
    {
        var rows = Enumerable.Range(0, 10).Select(i => new PromptRow { Prompt = $"Question {i}?", Completion = " It is the red planet." })
            .ToList();
        var data = _ml.Data.LoadFromEnumerable(rows);
        var options = TextGeneratorPipelineTests.Tiny(o =>
        {
            o.CompletionColumnName = "Completion";
            o.Training = o.Training with { MaximumSteps = 30 };
            o.Generation = new() { MaximumNewTokens = 20 };
        });

        using var model = _ml.Transforms.Text.FineTuneTextGenerator("Answer", "Prompt", options: options).Fit(data);

        var metrics = _ml.Generation.Evaluate(model, data);
        Assert.True(metrics.Loss < 0.3 && model.TrainingResult!.InitialValidationLoss > 3, $"{metrics}");
        Assert.Equal(rows.Sum(row => model.Model.Tokenizer.Encode(row.Completion!).Length + 1), metrics.TokenCount);
        Assert.Equal(rows.Sum(row => row.Completion!.Length), metrics.ByteCount);
        Assert.Equal(" It is the red planet.", model.Transform(data).GetColumn<string>("Answer").First()); // and stops there
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_to_the_bit()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(8));

        Assert.Equal(Weights(1), Weights(1));
        Assert.NotEqual(Weights(1), Weights(2));
        Assert.Equal(Weights(1), Weights(null, context: new MLContext(1)));

        byte[] Weights(long? seed, MLContext? context = null)
        {
            using var model =
                (context ?? _ml).Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny(o =>
            {
                o.Seed = seed;
                o.Dropout = 0.1;
                o.Training = o.Training with { MaximumSteps = 3 };
            })).Fit(data);
            return TransformerWeights.Bytes(model);
        }
    }

    [Fact]
    public void A_cancelled_run_is_resumed_to_the_same_bits()
    {
        using var folder = new TemporaryFolder();
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(8));
        using var cancellation = new CancellationTokenSource();
        var messages = new List<string>();
        _ml.Log += (_, message) => messages.Add(message.Message);

        TextGeneratorOptions Options(string output, IProgress<TrainingProgress>? progress = null) => TextGeneratorPipelineTests.Tiny(o =>
        {
            o.Training = o.Training with { MaximumSteps = 6, OutputDirectory = folder[output], CheckpointSteps = 2, Resume = true };
            o.Dropout = 0.1;
            o.Progress = progress;
            o.CancellationToken = progress is null ? default : cancellation.Token;
        });
        TextGeneratorEstimator Estimator(TextGeneratorOptions options) =>
            _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", options);

        using var whole = Estimator(Options("whole")).Fit(data);
        Assert.Throws<OperationCanceledException>(() => Estimator(Options("resumed", new At(5, cancellation.Cancel))).Fit(data));
        using var resumed = Estimator(Options("resumed")).Fit(data);

        Assert.Equal(TransformerWeights.Bytes(whole), TransformerWeights.Bytes(resumed));
        Assert.Contains(messages, message => message.Contains("from the checkpoint of step 4", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(folder["resumed"], "loss.png")));
    }

    [Fact]
    public void Progress_is_told_and_logged()
    {
        var told = new List<TrainingProgress>();
        var messages = new List<string>();
        _ml.Log += (_, message) => messages.Add(message.Message);

        using var model = Fit(o => o.Progress = new Each(told.Add));

        Assert.Equal([0, 1, 2], told.Select(progress => progress.Step));
        Assert.Contains(messages, message => message.Contains("validation loss", StringComparison.Ordinal));
        Assert.Contains(messages, message => message.Contains("Step 2 of 2", StringComparison.Ordinal));
    }

    [Fact]
    public void The_weights_that_were_best_on_validation_rows_are_kept()
    {
        using var model = Fit(o => o.Training = o.Training with { LearningRate = 10, MaximumSteps = 3 }); // ruins the model at once

        Assert.Equal(0, model.TrainingResult!.ModelStep);
        using var untouched = TextGenerationModel.Load(TestData.TinyModel);
        Assert.Equal(TransformerWeights.Bytes(untouched.Network), TransformerWeights.Bytes(model));
    }

    [Fact]
    public void Frozen_parameters_stay_as_they_are()
    {
        AssertChanged(o => o.FrozenParameters = ["transformer.wte.*", "*.ln_1.*"],
            name => !name.Contains("wte", StringComparison.Ordinal) && !name.Contains("ln_1", StringComparison.Ordinal));
        AssertChanged(o => o.TrainableBlocks = 1, name => name.Contains("h.1.", StringComparison.Ordinal)
            || name.Contains("ln_f", StringComparison.Ordinal));
        AssertChanged(
            o => o.Lora = new LoraOptions { TargetModules = ["c_attn"] }, name => name.EndsWith("c_attn.weight", StringComparison.Ordinal));

        void AssertChanged(Action<TextGeneratorOptions> change, Func<string, bool> expected)
        {
            using var model = Fit(o =>
            {
                change(o);
                o.Training = o.Training with { KeepBestModel = false };
            });
            using var before = TextGenerationModel.Load(TestData.TinyModel);
            var old = before.Network.CheckpointTensors().ToDictionary();
            Assert.Null(model.Model.Network.Lora);
            Assert.Equal(
                old.Keys.Where(expected),
                model.Model.Network.CheckpointTensors().Where(p => !p.Value.allclose(old[p.Key], rtol: 0, atol: 0)).Select(p => p.Key));
        }
    }

    [Fact]
    public void Packing_decides_how_texts_become_rows()
    {
        using var model = _ml.Generation.LoadPretrained(TestData.TinyModel);
        var texts = Enumerable.Range(0, 9).Select(i => new Story { Text = $"The old man {i} went home." }).ToList();
        var lengths = texts.Select(text => model.Tokenizer.Encode(text.Text!).Length).ToList();
        Assert.All(lengths, length => Assert.InRange(length + 1, 64 / 6 + 1, 64 / 5)); // with their ends five share a row of 64 tokens
        var data = _ml.Data.LoadFromEnumerable(texts);

        Assert.Equal(9, Rows(RowPacking.None));
        Assert.Equal(2, Rows(RowPacking.Packed));
        Assert.Equal(2, Rows(new TextGeneratorOptions().RowPacking)); // short texts share rows unless one says otherwise
        Assert.Equal(lengths.Sum() / 64, Rows(RowPacking.Concatenated));
        Assert.Equal((lengths.Sum() + 9) / 64, Rows(RowPacking.Concatenated, endOfSequence: true));

        int Rows(RowPacking packing, bool? endOfSequence = null)
        {
            var message = "";
            EventHandler<LoggingEventArgs> listen = (_, e) => message = e.RawMessage.Contains(" rows, ", StringComparison.Ordinal)
                ? e.RawMessage : message;
            _ml.Log += listen;
            using var fitted = _ml.Transforms.Text.FineTuneTextGenerator("Out", "Text", options: TextGeneratorPipelineTests.Tiny(o =>
                (o.RowPacking, o.AppendEndOfSequence, o.ValidationFraction) = (packing, endOfSequence, 0))).Fit(data);
            _ml.Log -= listen;
            return int.Parse(message.Split(" on ")[1].Split(' ')[0], CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public void A_text_of_whole_rows_is_trained_alike_packed_or_not()
    {
        var text = string.Concat(Enumerable.Repeat("The old man looked at the red planet. ", 40));
        var data = _ml.Data.LoadFromEnumerable([new Story { Text = text }]);

        Assert.Equal(Weights(RowPacking.None), Weights(RowPacking.Packed));

        byte[] Weights(RowPacking packing)
        {
            using var model = _ml.Transforms.Text.FineTuneTextGenerator(
                "Out", "Text", options: TextGeneratorPipelineTests.Tiny(o => o.RowPacking = packing)).Fit(data);
            return TransformerWeights.Bytes(model);
        }
    }

    [Fact]
    public void Validation_rows_are_the_last_ones_or_those_given()
    {
        var rows = TestData.Stories(10);
        var last = _ml.Data.LoadFromEnumerable(rows.TakeLast(2));
        using var fraction = Fit(o => o.ValidationFraction = 0.2, stories: 10);
        using var given = Fit(o => o.ValidationData = last, stories: 10);
        using var none = Fit(o => o.ValidationFraction = 0, stories: 10);

        Assert.Equal(given.TrainingResult!.InitialValidationLoss, fraction.TrainingResult!.InitialValidationLoss);
        Assert.Null(none.TrainingResult!.InitialValidationLoss);
    }

    [Theory]
    [InlineData(nameof(LanguageTrainingOptions.NumberOfEpochs))]
    [InlineData(nameof(LanguageTrainingOptions.BatchSize))]
    [InlineData(nameof(LanguageTrainingOptions.LearningRate))]
    [InlineData(nameof(TextGeneratorOptions.GenerationBatchSize))]
    [InlineData(nameof(TextGeneratorOptions.ValidationFraction))]
    [InlineData(nameof(TextGeneratorOptions.Dropout))]
    [InlineData(nameof(TextGeneratorOptions.MaximumLength))]
    [InlineData(nameof(TextGeneratorOptions.TrainableBlocks))]
    public void An_option_out_of_range_is_named_when_the_estimator_is_made(string name)
    {
        var options = new TextGeneratorOptions();
        if (typeof(TextGeneratorOptions).GetField(name) is { } field)
            field.SetValue(options, Convert.ChangeType(-1, Nullable.GetUnderlyingType(field.FieldType) ?? field.FieldType, null));
        else if (typeof(LanguageTrainingOptions).GetProperty(name)! is var property)
            property.SetValue(options.Training, Convert.ChangeType(-1, property.PropertyType, null));

        var exception =
            Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Transforms.Text.FineTuneTextGenerator("Out", "In", "Text", options));

        Assert.Equal(name, exception.ParamName);
        Assert.StartsWith(name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_do_not_go_together_are_refused()
    {
        Refused("SaveAdapterOnly needs Lora", o => o.SaveAdapterOnly = true);
        Refused("TrainableBlocks cannot be combined with Lora", o => (o.TrainableBlocks, o.Lora) = (1, new LoraOptions()));
        Refused("Concatenated", o => (o.CompletionColumnName, o.RowPacking) = ("C", RowPacking.Concatenated));
        Refused(
            "EarlyStoppingPatience needs", o => (o.Training, o.ValidationFraction) = (o.Training with { EarlyStoppingPatience = 1 }, 0));
        Refused("CheckpointSteps needs OutputDirectory", o => o.Training = o.Training with { CheckpointSteps = 1 });
        Refused("TokenIdsColumnName needs SequencesPerPrompt",
            o => (o.TokenIdsColumnName, o.Generation) = ("Ids", new() { Sample = true, SequencesPerPrompt = 2 }));
        Refused("called 'Out'", o => o.TokenIdsColumnName = "Out");

        void Refused(string expected, Action<TextGeneratorOptions> change)
        {
            var exception = Assert.ThrowsAny<ArgumentException>(
                () => _ml.Transforms.Text.FineTuneTextGenerator("Out", "In", options: TextGeneratorPipelineTests.Tiny(change)));
            Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Options_that_do_not_fit_the_model_are_refused_before_data_is_read()
    {
        var source = new CountingDataView(_ml.Data.LoadFromEnumerable(TestData.Stories(2)));

        Assert.Contains("at most 64", Error(o => o.MaximumLength = 65), StringComparison.Ordinal);
        Assert.Contains("at most 2", Error(o => o.TrainableBlocks = 3), StringComparison.Ordinal);
        Assert.Contains("'q_proj'", Error(o => o.Lora = new LoraOptions { TargetModules = ["q_proj"] }), StringComparison.Ordinal);
        Assert.Contains("'nothing.*'", Error(o => o.FrozenParameters = ["nothing.*"]), StringComparison.Ordinal);
        Assert.Equal(0, source.RowsRead);

        string Error(Action<TextGeneratorOptions> change) => Assert.ThrowsAny<ArgumentException>(
            () => _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny(change))
                .Fit(source)).Message;
    }

    [Fact]
    public void An_unknown_model_is_named_before_data_is_read()
    {
        var source = new CountingDataView(_ml.Data.LoadFromEnumerable(TestData.Stories(2)));
        var estimator = _ml.Transforms.Text.FineTuneTextGenerator(
            "Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny(o => o.PretrainedModel = "./no-such-folder"));

        Assert.Contains(
            "no-such-folder", Assert.Throws<DirectoryNotFoundException>(() => estimator.Fit(source)).Message, StringComparison.Ordinal);
        Assert.Equal(0, source.RowsRead);
    }

    [Fact]
    public void The_embedded_model_is_fine_tuned_by_default()
    {
        var data = _ml.Data.LoadFromEnumerable(TestData.Stories(4));

        using var model = _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", new TextGeneratorOptions
        {
            Training = new LanguageTrainingOptions { MaximumSteps = 2, BatchSize = 2, LearningRate = 5e-4 },
        }).Fit(data);

        Assert.True(model.TrainingResult!.ValidationLoss < model.TrainingResult.InitialValidationLoss);
    }

    private TextGeneratorTransformer Fit(Action<TextGeneratorOptions> change, int stories = 6) =>
        _ml.Transforms.Text.FineTuneTextGenerator("Out", "Opening", "Text", TextGeneratorPipelineTests.Tiny(change))
            .Fit(_ml.Data.LoadFromEnumerable(TestData.Stories(stories)));

    private sealed class Each(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }

    private sealed class At(int step, Action action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == step)
                action();
        }
    }
}
