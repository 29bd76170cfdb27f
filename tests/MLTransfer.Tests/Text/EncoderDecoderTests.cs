using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Reports;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>T5 and BART go through the same estimators, files and calls as GPT-2.</summary>
public sealed class EncoderDecoderTests : IDisposable
{
    private static readonly Story[] s_pairs =
    [
        new() { Opening = "one old man", Text = "went home" },
        new() { Opening = "two women in a garden", Text = "said nothing at all" },
        new() { Opening = "the king", Text = "is not here" },
        new() { Opening = "three more of them", Text = "the night was long" },
    ];

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Folders => ["t5-tiny", "bart-tiny"];

    private IDataView Pairs => field ??= _ml.Data.LoadFromEnumerable(s_pairs);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task Completions_train_it_and_its_zip_writes_them_in_another_process(string folder)
    {
        var answers = new Answers();
        using var model = Fit(folder, options =>
        {
            options.CompletionColumnName = "Text";
            options.Training = options.Training with { MaximumSteps = 150, EvaluationSteps = 150, SamplePrompts = ["the king"] };
            options.Progress = answers;
        });
        _ml.Model.Save(model, Pairs.Schema, _folder["model.zip"]);

        Assert.Equal(s_pairs.Select(pair => pair.Text), Texts(model));
        Assert.Equal("is not here", answers[^1]);
        using var engine = _ml.Model.CreatePredictionEngine<Story, Continued>(model);
        Assert.Equal("is not here", engine.Predict(new Story { Opening = "the king" }).Continuation);
        Assert.Equal("went home", string.Concat(_ml.Generation.StreamAsync(
            model, "one old man", TestContext.Current.CancellationToken).ToBlockingEnumerable(TestContext.Current.CancellationToken)));
        Assert.True(((EncoderDecoderModel)model.Model.Network).EncoderPasses > 0);

        _ml.Generation.SaveModelFolder(model, _folder["saved"]);
        using var saved = _ml.Generation.LoadPretrained(_folder["saved"]);
        Assert.Equal("said nothing at all", saved.Generate("two women in a garden"));
        Assert.Contains("text2text-generation", File.ReadAllText(Path.Combine(_folder["saved"], "README.md")), StringComparison.Ordinal);

        var (texts, _) = await LoadingProcess.RunAsync(_folder["model.zip"], "Continuation", Prompts());
        Assert.Equal(s_pairs.Select(pair => pair.Text), texts);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task Whole_texts_train_it_and_its_zip_writes_the_same_in_another_process(string folder)
    {
        using var model = Fit(folder, options =>
        {
            options.Training = options.Training with { MaximumSteps = 60, EvaluationSteps = 60 };
            options.ValidationData = Pairs;
            options.Noise = new TextNoiseOptions { NoiseDensity = 0.25, MeanSpanLength = 2 };
        });
        _ml.Model.Save(model, Pairs.Schema, _folder["model.zip"]);

        var result = model.TrainingResult!;
        Assert.True(
            result.ValidationLoss < 0.6 * result.InitialValidationLoss, $"{result.InitialValidationLoss} to {result.ValidationLoss}");
        Assert.Equal(result.ValidationLoss!.Value, _ml.Generation.Evaluate(model, Pairs).Loss, 1e-5);
        using (var loaded = (TextGeneratorTransformer)_ml.Model.Load(_folder["model.zip"], out _))
            Assert.Equal(result.ValidationLoss!.Value, _ml.Generation.Evaluate(loaded, Pairs).Loss, 1e-5); // the noise is stored too
        var texts = Texts(model);
        Assert.Contains(texts, text => text.Length > 0);
        var (found, _) = await LoadingProcess.RunAsync(_folder["model.zip"], "Continuation", Prompts());
        Assert.Equal(texts, found);
    }

    [Theory]
    [InlineData("t5-tiny", true)]
    [InlineData("bart-tiny", false)]
    public async Task Adapters_train_it_and_their_zip_writes_the_same_in_another_process(string folder, bool adapterOnly)
    {
        using var model = Fit(folder, options =>
        {
            options.CompletionColumnName = "Text";
            options.Lora = new LoraOptions { Rank = 4 };
            options.SaveAdapterOnly = adapterOnly;
            options.ValidationData = Pairs;
            options.Training = options.Training with { MaximumSteps = 60, LearningRate = 2e-2 };
        });
        _ml.Model.Save(model, Pairs.Schema, _folder["model.zip"]);

        var result = model.TrainingResult!;
        Assert.True(
            result.ValidationLoss < 0.8 * result.InitialValidationLoss, $"{result.InitialValidationLoss} to {result.ValidationLoss}");
        Assert.Equal(result.ValidationLoss!.Value, _ml.Generation.Evaluate(model, Pairs).Loss, 1e-4);
        var texts = Texts(model);
        using (var untrained = _ml.Transforms.Text.GenerateText("Continuation", "Opening", PathOf(folder)).Fit(Pairs))
            Assert.NotEqual(Texts(untrained), texts);
        var (found, _) = await LoadingProcess.RunAsync(_folder["model.zip"], "Continuation", Prompts());
        Assert.Equal(texts, found);
    }

    [Theory]
    [InlineData("t5-tiny", DecodingPrecision.BFloat16)]
    [InlineData("t5-tiny", DecodingPrecision.Int8)]
    [InlineData("t5-tiny", DecodingPrecision.Int4)]
    [InlineData("bart-tiny", DecodingPrecision.BFloat16)]
    [InlineData("bart-tiny", DecodingPrecision.Int8)]
    [InlineData("bart-tiny", DecodingPrecision.Int4)]
    public void Narrow_weights_write_what_was_learned(string folder, DecodingPrecision precision)
    {
        using var model = Fit(folder, options =>
        {
            options.CompletionColumnName = "Text";
            options.Training = options.Training with { MaximumSteps = 150 };
            options.DecodingPrecision = precision;
        });

        Assert.Equal(s_pairs.Select(pair => pair.Text), Texts(model));
        var generator = _ml.Generation.GetTextGenerator(model);
        Assert.NotSame(model.Model, generator);
        Assert.True(generator.Network.FastSteps > 0);
    }

    [Fact]
    public void A_pretrained_folder_generates_with_beams_and_several_sequences()
    {
        using var model = _ml.Transforms.Text.GenerateText("Continuation", "Opening", PathOf("bart-tiny"), new GenerateTextOptions
        {
            Generation = new GenerationOptions { BeamCount = 4, SequencesPerPrompt = 2, MaximumNewTokens = 8 },
        }).Fit(Pairs);

        Assert.All(model.Transform(Pairs).GetColumn<string[]>("Continuation"), texts => Assert.Equal(2, texts.Length));
        Assert.Equal(1, ((EncoderDecoderModel)model.Model.Network).EncoderPasses);
        Assert.Equal(0, model.Model.Generate(["the king"])[0][0].TokenIds[0]); // generation_config.json forces it
    }

    [Fact]
    public void Training_data_are_described_with_what_is_cut()
    {
        var estimator = Estimator("t5-tiny", options =>
        {
            options.CompletionColumnName = "Text";
            options.MaximumLength = 8;
        });
        var report = estimator.DescribeTrainingData(Pairs);
        Assert.Equal((4, 4, 8), (report.Texts, report.Rows, report.MaximumLength));
        Assert.InRange(report.CutTexts, 1, 4);
        Assert.InRange(report.Tokens, 4 * 4, 4 * (8 + 9));
        using var model = estimator.Fit(Pairs);
        Assert.All(Texts(model), text => Assert.NotNull(text));

        Assert.Equal(512, Estimator("t5-tiny").DescribeTrainingData(Pairs).MaximumLength);
        Assert.Equal(64, Estimator("bart-tiny").DescribeTrainingData(Pairs).MaximumLength);
        var estimate = _ml.Generation.EstimateMemory(new TextGeneratorOptions { PretrainedModel = PathOf("t5-tiny") });
        Assert.InRange(estimate.Total, 1 << 20, 4L << 30);
    }

    [Fact]
    public void Texts_that_are_joined_fill_rows()
    {
        var report = Estimator("bart-tiny", options =>
        {
            options.RowPacking = RowPacking.Concatenated;
            options.MaximumLength = 12;
        }).DescribeTrainingData(Pairs);
        Assert.Equal(10 * report.Rows, report.Tokens); // and two special tokens
        Assert.True(report.Rows > 1);
    }

    [Theory]
    [InlineData("bart-tiny", 3, null, null, "MaximumLength is 3, but the special tokens around a text are 2")]
    [InlineData("bart-tiny", 65, null, null, "MaximumLength must be at most 64")]
    [InlineData("t5-tiny", null, 1.5, null, "NoiseDensity must be from 0 to 1")]
    [InlineData("t5-tiny", null, null, 0.5, "MeanSpanLength must be from 1")]
    [InlineData("gpt2-tiny", null, 0.3, null, "Noise is for whole texts that train an encoder with a decoder")]
    public void What_cannot_be_is_refused_by_name(string folder, int? length, double? density, double? spanLength, string expected)
    {
        var exception = Assert.ThrowsAny<ArgumentException>(() => Estimator(folder, options =>
        {
            options.MaximumLength = length;
            options.Noise = density is null && spanLength is null ? null
                : new TextNoiseOptions { NoiseDensity = density, MeanSpanLength = spanLength };
        }).Fit(Pairs));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_ONNX_files_are_written_and_refused_by_the_generator_of_decoders()
    {
        using var model = _ml.Generation.LoadPretrained(PathOf("t5-tiny"));
        var files = _ml.Generation.ExportToOnnx(model, _folder["onnx"]);

        Assert.Contains(files, file => file.Name.EndsWith("encoder_model.onnx", StringComparison.Ordinal));
        var message = Assert.Throws<NotSupportedException>(() => _ml.Generation.LoadOnnx(_folder["onnx"])).Message;
        Assert.Contains("an encoder with a decoder", message, StringComparison.Ordinal);
    }

    private static string PathOf(string folder) =>
        folder == "gpt2-tiny" ? TestData.TinyModel : RepositoryFiles.Data($"families/{folder}");

    private static string[] Prompts() => [.. s_pairs.Select(pair => pair.Opening!)];

    private static List<string> Texts(TextGeneratorTransformer model)
    {
        var ml = new MLContext();
        return [.. model.Transform(ml.Data.LoadFromEnumerable(s_pairs)).GetColumn<string>("Continuation")];
    }

    private TextGeneratorTransformer Fit(string folder, Action<TextGeneratorOptions> change) => Estimator(folder, change).Fit(Pairs);

    private TextGeneratorEstimator Estimator(string folder, Action<TextGeneratorOptions>? change = null)
    {
        var options = new TextGeneratorOptions
        {
            PretrainedModel = PathOf(folder),
            Training = new() { MaximumSteps = 2, BatchSize = 4, LearningRate = 1e-2, Precision = Torch.Training.Precision.Float32 },
            ValidationFraction = 0,
            Generation = new() { MaximumNewTokens = 16 },
        };
        change?.Invoke(options);
        return _ml.Transforms.Text.FineTuneTextGenerator("Continuation", "Opening", options: options);
    }

    /// <summary>Keeps the answers to samples.</summary>
    private sealed class Answers : List<string>, IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => AddRange(value.Answers.Cast<TextAnswer>().Select(answer => answer.Text));
    }
}
