using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>How rows are put together must not be seen in the numbers.</summary>
public sealed class BatchingTests : IDisposable
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private readonly CausalLanguageModel _model = TinyRun.LoadModel();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void A_packed_row_gives_every_document_the_logits_that_it_has_alone()
    {
        var documents = TinyRun.Rows.Take(4).ToList();
        var packed = Assert.Single(TrainingExamples.Pack(documents, 64));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var logits = _model.Forward(TrainingBatch.Create([packed], CPU).Input); // [1, T, vocabulary]
        var start = 0;
        foreach (var document in documents)
        {
            var alone = _model.Forward(TrainingBatch.Create([document], CPU).Input);
            var difference = (logits.narrow(1, start, document.InputIds.Length) - alone).abs().max().item<float>();
            Assert.True(difference < 1e-5, $"logits differ by {difference}");
            start += document.InputIds.Length;
        }

        Assert.Equal(packed.InputIds.Length, start);
    }

    [Fact]
    public void Packed_rows_in_one_batch_have_the_loss_and_gradients_of_their_documents_one_by_one()
    {
        var packed = TrainingExamples.Pack(TinyRun.Rows, 40);
        Assert.InRange(packed.Count, 3, TinyRun.Rows.Count - 1);
        AssertClose(LossAndGradients(TinyRun.Rows.Select(row => new[] { row })), LossAndGradients([[.. packed]]));
    }

    [Fact]
    public void Padded_rows_in_one_batch_have_the_loss_and_gradients_of_the_rows_one_by_one()
    {
        var rows = TinyRun.Rows.Select((row, i) => i % 3 == 0
            ? TrainingExamples.Completion(row.InputIds.AsSpan(..4), row.InputIds.AsSpan(4..), 64) : row).ToList();
        Assert.True(rows.Select(row => row.InputIds.Length).Distinct().Count() > 3);
        AssertClose(LossAndGradients(rows.Select(row => new[] { row })), LossAndGradients([[.. rows]]));
    }

    [Fact]
    public void Only_a_completion_counts_in_the_loss()
    {
        int[] prompt = [101, 102, 103, 104], completion = [105, 106, 107];
        var row = TrainingExamples.Completion(prompt, completion, 64);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        int[] ids = [.. prompt, .. completion];
        var logits = _model.Forward(new ModelInput(tensor(ids.Select(id => (long)id).ToArray(), [1, ids.Length])));
        var probabilities = F.log_softmax(logits[0], 1); // [T, vocabulary]
        var expected = -completion.Select((id, i) => probabilities[prompt.Length + i - 1, id].item<float>()).Sum();
        Assert.Equal(expected, LanguageModelLoss.Sum(_model, TrainingBatch.Create([row], CPU)), 1e-5 * expected);

        var result = Evaluator.Evaluate(_model, [row], cancellationToken: TestCancellation);
        Assert.Equal((3, expected / 3), (result.PredictedTokens, result.Loss), new WithinTolerance(1e-5));
        Assert.Equal(Math.Exp(result.Loss), result.Perplexity);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(int.MaxValue)]
    public void The_evaluation_does_not_depend_on_the_batch_size(int batchSize)
    {
        var expected = Evaluator.Evaluate(_model, TinyRun.Rows, batchSize: 8, TestCancellation);
        var actual = Evaluator.Evaluate(_model, TinyRun.Rows, batchSize, TestCancellation);
        Assert.Equal(expected.PredictedTokens, actual.PredictedTokens);
        Assert.Equal(expected.Loss, actual.Loss, 1e-6 * expected.Loss);
    }

    [Fact]
    public void Accumulated_gradients_are_those_of_one_large_batch()
    {
        var whole = Train(batchSize: 8, accumulation: 1);
        var parts = Train(batchSize: 2, accumulation: 4);
        Assert.Equal(whole.History.Select(report => report.Step), parts.History.Select(report => report.Step));
        foreach (var (a, b) in whole.History.Zip(parts.History))
        {
            Assert.Equal(a.Loss!.Value, b.Loss!.Value, 1e-6 * a.Loss.Value);
            Assert.Equal(a.GradientNorm!.Value, b.GradientNorm!.Value, 1e-6 * a.GradientNorm.Value);
        }

        foreach (var (name, weights) in whole.Weights)
            Assert.All(weights.Zip(parts.Weights[name]), pair => Assert.True(Math.Abs(pair.First - pair.Second) < 1e-6, name));

        static (IReadOnlyList<TrainingProgress> History, Dictionary<string, float[]> Weights) Train(int batchSize, int accumulation)
        {
            using var model = TinyRun.LoadModel();
            var options = new LanguageTrainingOptions
            {
                Precision = Precision.Float32,
                NumberOfEpochs = 3, // of ten rows: the last step of an epoch has two
                BatchSize = batchSize,
                GradientAccumulationSteps = accumulation,
                LearningRate = 0.1,
                AdamEpsilon = 1, // steps in proportion to the gradient, where Adam would make as much of rounding errors
            };
            var history = new LanguageModelTrainer(model, options, TinyRun.Rows).Train(cancellationToken: TestCancellation).History;
            return (history, model.CheckpointTensors().ToDictionary(t => t.Key, t => t.Value.data<float>().ToArray()));
        }
    }

    [Fact]
    public void A_batch_size_beyond_the_data_takes_all_of_it_in_one_step()
    {
        var options =
            new LanguageTrainingOptions { NumberOfEpochs = 2, BatchSize = int.MaxValue, GradientAccumulationSteps = int.MaxValue };
        Assert.Equal(2, new LanguageModelTrainer(_model, options, TinyRun.Rows).Train(cancellationToken: TestCancellation).Steps);
    }

    private (double Loss, Dictionary<string, float[]> Gradients) LossAndGradients(IEnumerable<TrainingExample[]> batches)
    {
        using var scope = NewDisposeScope();
        _model.zero_grad();
        double loss = 0;
        foreach (var batch in batches)
            loss += LanguageModelLoss.Backward(_model, TrainingBatch.Create(batch, CPU), 1);

        return (loss, _model.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!.data<float>().ToArray()));
    }

    private static void AssertClose(
        (double Loss, Dictionary<string, float[]> Gradients) expected, (double Loss, Dictionary<string, float[]> Gradients) actual)
    {
        Assert.Equal(expected.Loss, actual.Loss, 1e-5 * expected.Loss);
        foreach (var (name, gradients) in expected.Gradients)
        {
            var norm = Math.Sqrt(gradients.Sum(g => (double)g * g));
            var difference = Math.Sqrt(gradients.Zip(actual.Gradients[name], (a, b) => (double)(a - b) * (a - b)).Sum());
            Assert.True(difference <= 1e-5 * Math.Max(1, norm), $"{name}: gradients differ by {difference} of {norm}");
        }
    }

    private sealed class WithinTolerance(double tolerance) : IEqualityComparer<(long Tokens, double Loss)>
    {
        public bool Equals((long Tokens, double Loss) x, (long Tokens, double Loss) y) => x.Tokens == y.Tokens
            && Math.Abs(x.Loss - y.Loss) < tolerance;

        public int GetHashCode((long Tokens, double Loss) value) => value.Tokens.GetHashCode();
    }
}
