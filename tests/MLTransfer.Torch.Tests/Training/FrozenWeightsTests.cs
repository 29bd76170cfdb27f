using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training;

[Collection(ProcessWideState.Name)]
public sealed class FrozenWeightsTests : IDisposable
{
    private readonly CausalLanguageModel _model = TinyRun.CreateModel(TinyRunKind.Adapters);
    private readonly TemporaryFolder _folder = new();

    private string Spill => Path.Combine(_folder.Path, "frozen.safetensors");

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Passes_give_the_same_bits_with_weights_that_are_converted_once()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        _model.eval();
        _model.ComputeType = ScalarType.BFloat16;
        var input = new ModelInput(arange(20).view(2, 10));
        var before = WeightBytes.Of(_model);
        var expected = _model.Forward(input);
        using (var frozen = FrozenWeights.Convert(_model, Spill))
        {
            Assert.NotNull(frozen);
            Assert.True(expected.equal(_model.Forward(input)).all().item<bool>());
            WeightBytes.AssertEqual(before, _model); // read from the file
        }

        WeightBytes.AssertEqual(before, _model);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
        Assert.True(expected.equal(_model.Forward(input)).all().item<bool>());
    }

    [Fact]
    public void Nothing_is_converted_where_all_weights_are_trained_or_float32_is_computed()
    {
        using var trained = TinyRun.CreateModel(TinyRunKind.Improving);
        trained.ComputeType = ScalarType.BFloat16;
        Assert.Null(FrozenWeights.Convert(trained, Spill));
        Assert.Null(FrozenWeights.Convert(_model, Spill));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Frozen_weights_are_the_same_bits_after_a_run_that_ends_or_is_cancelled(bool isCancelled)
    {
        var before = _model.named_parameters().ToDictionary(p => p.name, p => p.parameter.clone());
        using var cancellation = new CancellationTokenSource();
        var options =
            new LanguageTrainingOptions { MaximumSteps = 4, BatchSize = 2, Precision = Precision.BFloat16, OutputDirectory = _folder.Path };
        var trainer = new LanguageModelTrainer(_model, options, TinyRun.Rows);
        if (isCancelled)
            Assert.Throws<OperationCanceledException>(
                () => trainer.Train(new ProgressCallback(_ => cancellation.Cancel()), cancellation.Token));
        else
            trainer.Train(cancellationToken: TestContext.Current.CancellationToken);
        foreach (var (name, parameter) in _model.named_parameters())
            Assert.True(before[name].equal(parameter).all().item<bool>(), name);
        Assert.DoesNotContain(Directory.GetFiles(_folder.Path), file => file.Contains("frozen", StringComparison.Ordinal));
    }

    [Fact]
    public void Weights_stay_where_the_file_cannot_be_written()
    {
        var before = WeightBytes.Of(_model);
        _model.ComputeType = ScalarType.BFloat16;
        Assert.ThrowsAny<IOException>(() => FrozenWeights.Convert(_model, Path.Combine(_folder.Path, "no folder", "frozen.safetensors")));
        WeightBytes.AssertEqual(before, _model);
    }
}
