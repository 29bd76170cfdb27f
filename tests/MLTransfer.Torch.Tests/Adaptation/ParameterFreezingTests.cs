using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Adaptation;

public sealed class ParameterFreezingTests : IDisposable
{
    private readonly CausalLanguageModel _model = TinyRun.LoadModel();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Weights_frozen_by_pattern_stay_as_they_are_to_the_bit_and_all_others_move()
    {
        ParameterFreezing.FreezeByName(_model, "transformer.w?e.weight", "*.ln_*");
        AssertTrainingMovesExactly(name => name is not ("transformer.wte.weight" or "transformer.wpe.weight")
            && !name.Contains(".ln_", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void All_but_the_last_blocks_stay_as_they_are_to_the_bit(int trainableBlocks)
    {
        ParameterFreezing.FreezeAllButLastBlocks(_model, trainableBlocks);
        AssertTrainingMovesExactly(name => name.StartsWith("transformer.ln_f.", StringComparison.Ordinal)
            || Enumerable.Range(2 - trainableBlocks, trainableBlocks)
            .Any(block => name.StartsWith($"transformer.h.{block}.", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("transformer.h.7.*")]
    [InlineData("c_attn")] // the whole name has to match
    [InlineData("TRANSFORMER.*")]
    [InlineData("")]
    public void A_pattern_that_matches_nothing_is_refused_and_nothing_is_frozen(string pattern)
    {
        var message = Assert.Throws<ArgumentException>(() => ParameterFreezing.FreezeByName(_model, "transformer.wte.*", pattern)).Message;
        Assert.Contains($"'{pattern}' matches no parameter", message);
        Assert.Contains("'transformer.wte.weight'", message); // what names look like
        Assert.All(_model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Freezing_everything_is_refused_and_nothing_is_frozen()
    {
        Assert.Contains("nothing to train", Assert.Throws<ArgumentException>(() => ParameterFreezing.FreezeByName(_model, "*")).Message);
        Assert.All(_model.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void More_blocks_than_there_are_are_refused(int trainableBlocks) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ParameterFreezing.FreezeAllButLastBlocks(_model, trainableBlocks));

    private void AssertTrainingMovesExactly(Func<string, bool> moves)
    {
        var before = WeightBytes.Of(_model);
        var options = new LanguageTrainingOptions { MaximumSteps = 2, LearningRate = 1e-3, WeightDecay = 0.1 };
        new LanguageModelTrainer(_model, options, TinyRun.Rows).Train(cancellationToken: TestContext.Current.CancellationToken);
        var after = WeightBytes.Of(_model);
        Assert.All(before, weight => Assert.Equal(moves(weight.Key), !weight.Value.AsSpan().SequenceEqual(after[weight.Key])));
    }
}
