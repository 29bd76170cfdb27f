using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>The loss that is made in chunks, against libtorch's own cross-entropy and autograd.</summary>
[Collection(ProcessWideState.Name)]
public sealed class LanguageModelLossTests : IDisposable
{
    private readonly CausalLanguageModel _model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 700)]
    [InlineData(130, 4097)]
    public void Cross_entropy_and_its_gradient_are_those_of_libtorch(int rows, int classes)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var logits = (randn(rows, classes) * 5).requires_grad_();
        var targets = randint(0, classes, rows, dtype: ScalarType.Int64);
        var expected = F.cross_entropy(logits, targets, reduction: nn.Reduction.Sum);
        (expected * 0.25).backward();

        using var gradients = no_grad();
        var own = logits.detach().clone();
        Assert.Equal(expected.item<float>(), CrossEntropy.SumWithGradient(own, targets, 0.25), 1e-5 * Math.Abs(expected.item<float>()));
        Assert.True((own - logits.grad!).abs().max().item<float>() < 1e-6);

        // The twin for other devices takes tensors that are not contiguous.
        var transposed = logits.detach().t().contiguous().t();
        if (!transposed.is_contiguous())
        {
            Assert.Equal(
                expected.item<float>(), CrossEntropy.SumWithGradient(transposed, targets, 0.25), 1e-5 * Math.Abs(expected.item<float>()));
            Assert.True((transposed - logits.grad!).abs().max().item<float>() < 1e-6);
        }

        Assert.Equal(expected.item<float>(), CrossEntropy.Sum(logits.detach().clone(), targets), 1e-5 * Math.Abs(expected.item<float>()));
    }

    [Fact]
    public void Bfloat16_logits_give_the_loss_of_their_values_and_its_rounded_gradient()
    {
        using var scope = NewDisposeScope();
        var logits = (randn([5, 701], generator: new Generator(4)) * 5).to(ScalarType.BFloat16);
        var targets = arange(5, ScalarType.Int64) * 37;
        var wide = logits.to(ScalarType.Float32);
        var expected = CrossEntropy.SumWithGradient(wide, targets, 0.25);
        Assert.Equal(expected, CrossEntropy.SumWithGradient(logits, targets, 0.25));
        Assert.True(logits.equal(wide.to(ScalarType.BFloat16)).all().item<bool>());
    }

    [Fact]
    public void Conversions_of_bfloat16_are_those_of_libtorch()
    {
        using var scope = NewDisposeScope();
        var bits = NativeTensor.AsSpan<ushort>(arange(65536, ScalarType.Int32).to(ScalarType.Int16)).ToArray(); // all numbers there are
        var wide = new float[bits.Length];
        var narrow = new ushort[bits.Length];
        BFloat16Bits.Widen(bits, wide);
        BFloat16Bits.Narrow(wide, narrow);
        for (var i = 0; i < bits.Length; i++)
        {
            Assert.Equal(BFloat16Bits.ToSingle(bits[i]), wide[i]);
            Assert.Equal(float.IsNaN(wide[i]) ? 0x7FC0 : bits[i], narrow[i]);
        }

        var values = randn([10_003], generator: new Generator(5));
        var rounded = new ushort[10_003];
        BFloat16Bits.Narrow(NativeTensor.AsSpan<float>(values), rounded);
        Assert.Equal(NativeTensor.AsSpan<ushort>(values.to(ScalarType.BFloat16)).ToArray(), rounded);
    }

    [Fact]
    public void Extreme_logits_give_finite_losses()
    {
        using var scope = NewDisposeScope();
        var logits = tensor([1e30f, -1e30f, 0f, 88f, -88f, 3f], [2, 3]);
        Assert.Equal(85, CrossEntropy.Sum(logits, tensor([0L, 2L])), 1e-3); // 0 for the first row, 88 - 3 for the second
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Gradients_of_all_parameters_are_those_of_autograd(bool completionsOnly, bool frozenHead)
    {
        using var scope = NewDisposeScope();
        if (frozenHead)
            ParameterFreezing.FreezeByName(_model, "transformer.wte.*");
        var rows = TinyRun.Rows.Take(4)
            .Select(row => completionsOnly ? TrainingExamples.Completion(row.InputIds.AsSpan(0, 5), row.InputIds.AsSpan(5), 64) : row)
            .ToList();
        var batch = TrainingBatch.Create(rows, CPU);

        var hidden = _model.ComputeHiddenStates(batch.Input);
        var picked = batch.Positions is null
            ? hidden.narrow(1, 0, hidden.shape[1] - 1).reshape(-1, hidden.shape[2])
            : hidden.view(-1, hidden.shape[2]).index_select(0, batch.Positions);
        var expected = F.cross_entropy(_model.ComputeLogits(picked), batch.Targets, reduction: nn.Reduction.Sum) / 10;
        expected.backward();
        var gradients = _model.TrainableParameters().ToDictionary(p => p.Name, p => p.Parameter.grad!.clone());
        _model.zero_grad();

        Assert.Equal(expected.item<float>(), LanguageModelLoss.Backward(_model, batch, 0.1), 1e-5 * expected.item<float>());
        foreach (var (name, parameter) in _model.TrainableParameters())
        {
            var difference = (parameter.grad! - gradients[name]).abs().max().item<float>();
            Assert.True(difference < 1e-5, $"{name}: {difference}");
        }

        Assert.Equal(10 * expected.item<float>(), LanguageModelLoss.Sum(_model, batch), 1e-4 * expected.item<float>());
    }

    [Fact]
    public void Training_in_bfloat16_reaches_the_loss_of_float32()
    {
        var losses = new List<double>();
        foreach (var precision in (Precision[])[Precision.Float32, Precision.BFloat16])
        {
            using var model = CausalLanguageModel.Load(RepositoryFiles.Data("gpt2-tiny"));
            var options = new LanguageTrainingOptions { NumberOfEpochs = 12, BatchSize = 4, LearningRate = 1e-3, Precision = precision };
            new LanguageModelTrainer(model, options, TinyRun.Rows).Train(cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(ScalarType.Float32, model.DataType);
            losses.Add(Evaluator.Evaluate(model, TinyRun.Rows, cancellationToken: TestContext.Current.CancellationToken).Loss);
        }

        Assert.Equal(losses[0], losses[1], 0.005 * losses[0]);
        Assert.NotEqual(losses[0], losses[1]);
    }
}
