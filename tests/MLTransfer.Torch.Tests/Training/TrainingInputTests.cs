using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

public sealed class TrainingInputTests : IDisposable
{
    private readonly CausalLanguageModel _model = TinyRun.LoadModel();

    public void Dispose() => _model.Dispose();

    public static TheoryData<string, LanguageTrainingOptions> OptionsOutOfRange => new()
    {
        { "NumberOfEpochs", new() { NumberOfEpochs = 0 } },
        { "NumberOfEpochs", new() { NumberOfEpochs = int.MaxValue } },
        { "NumberOfEpochs", new() { NumberOfEpochs = -1, MaximumSteps = 5 } },
        { "MaximumSteps", new() { MaximumSteps = -1 } },
        { "BatchSize", new() { BatchSize = 0 } },
        { "GradientAccumulationSteps", new() { GradientAccumulationSteps = 0 } },
        { "LearningRate", new() { LearningRate = -1e-5 } },
        { "LearningRate", new() { LearningRate = double.NaN } },
        { "LearningRate", new() { LearningRate = double.PositiveInfinity } },
        { "LearningRateSchedule", new() { LearningRateSchedule = (LearningRateSchedule)99 } },
        { "WarmupSteps", new() { WarmupSteps = -1 } },
        { "WeightDecay", new() { WeightDecay = -0.1 } },
        { "AdamBeta1", new() { AdamBeta1 = 1 } },
        { "AdamBeta2", new() { AdamBeta2 = -0.1 } },
        { "AdamBeta2", new() { AdamBeta2 = double.NaN } },
        { "AdamEpsilon", new() { AdamEpsilon = -1e-8 } },
        { "MaximumGradientNorm", new() { MaximumGradientNorm = -1 } },
        { "EvaluationSteps", new() { EvaluationSteps = -1 } },
        { "EvaluationBatchSize", new() { EvaluationBatchSize = 0 } },
        { "EarlyStoppingPatience", new() { EarlyStoppingPatience = -1 } },
        { "EarlyStoppingPatience", new() { EarlyStoppingPatience = 1 } }, // without validation rows
        { "CheckpointSteps", new() { CheckpointSteps = -1, OutputDirectory = "x" } },
        { "CheckpointSteps", new() { CheckpointSteps = 5 } },
        { "CheckpointLimit", new() { CheckpointLimit = -1 } },
        { "Resume", new() { Resume = true } },
        { "OutputDirectory", new() { OutputDirectory = " " } },
    };

    [Theory]
    [MemberData(nameof(OptionsOutOfRange), DisableDiscoveryEnumeration = true)]
    public void An_option_out_of_range_is_named(string name, LanguageTrainingOptions options) =>
        Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(() => new LanguageModelTrainer(_model, options, TinyRun.Rows)).Message);

    public static TheoryData<string, TrainingExample> UnusableRows => new()
    {
        { "token id 700; the model's vocabulary has 700", new([1, 700], [1, 2]) },
        { "token id -1", new([1, -1], [1, 2]) },
        { "label 700; expected an id of the model's vocabulary of 700, or -100", new([1, 2], [1, 700]) },
        { "label -1;", new([1, 2], [1, -1]) },
        { "65 tokens; the model's context is 64", new(new int[65], new int[65]) },
        { "3 input ids but 2 labels", new([1, 2, 3], [1, 2]) },
        { "3 input ids but 4 sequence ids", new([1, 2, 3], [1, 2, 3], [0, 0, 0, 0]) },
        { "is null", null! },
    };

    [Theory]
    [MemberData(nameof(UnusableRows), DisableDiscoveryEnumeration = true)]
    public void A_row_that_does_not_fit_the_model_is_named_by_its_number(string message, TrainingExample row)
    {
        IReadOnlyList<TrainingExample> rows = [TinyRun.Rows[0], row];
        AssertRefused("training", () => new LanguageModelTrainer(_model, new LanguageTrainingOptions(), rows));
        AssertRefused("validation", () => new LanguageModelTrainer(_model, new LanguageTrainingOptions(), TinyRun.Rows, rows));
        AssertRefused("examples", () => Evaluator.Evaluate(_model, rows, cancellationToken: TestContext.Current.CancellationToken));

        void AssertRefused(string argument, Func<object> action)
        {
            var error = Assert.Throws<ArgumentException>(action);
            Assert.Contains($"Row 1 of '{argument}'", error.Message);
            Assert.Contains(message, error.Message);
            Assert.Equal(argument, error.ParamName);
        }
    }

    [Fact]
    public void Rows_without_a_token_to_predict_are_nothing_to_train_on_or_evaluate_with()
    {
        IReadOnlyList<TrainingExample> rows = [new([], []), new([5], [5]), new([5, 6], [5, TrainingExample.Ignored])];
        foreach (var nothing in (IReadOnlyList<TrainingExample>[])[[], rows])
        {
            Assert.Contains("nothing to train on",
                Assert.Throws<ArgumentException>(() => new LanguageModelTrainer(_model, new LanguageTrainingOptions(), nothing)).Message);
            Assert.Contains("no token to predict", Assert.Throws<ArgumentException>(
                () => Evaluator.Evaluate(_model, nothing, cancellationToken: TestContext.Current.CancellationToken)).Message);
        }
    }

    [Fact]
    public void A_model_without_a_trainable_parameter_is_refused()
    {
        foreach (var parameter in _model.parameters())
            parameter.requires_grad = false;
        Assert.Contains("frozen",
            Assert.Throws<ArgumentException>(() => new LanguageModelTrainer(_model, new LanguageTrainingOptions(), TinyRun.Rows)).Message);
    }

    [Fact]
    public void An_evaluation_batch_size_of_zero_is_refused() =>
        Assert.Equal("batchSize", Assert.Throws<ArgumentOutOfRangeException>(
            () => Evaluator.Evaluate(_model, TinyRun.Rows, 0, TestContext.Current.CancellationToken)).ParamName);

    [Fact]
    public void An_output_directory_that_is_a_file_is_named_before_the_model_is_touched()
    {
        using var folder = new TemporaryFolder();
        var path = folder["taken"];
        File.WriteAllText(path, "mine");
        var before = WeightBytes.Of(_model);
        var options = new LanguageTrainingOptions { MaximumSteps = 1, OutputDirectory = path };
        Assert.Contains(path, Assert.Throws<IOException>(
            () => new LanguageModelTrainer(_model, options, TinyRun.Rows)
                .Train(cancellationToken: TestContext.Current.CancellationToken)).Message);
        WeightBytes.AssertEqual(before, _model);
        Assert.Equal("mine", File.ReadAllText(path));
    }
}
