using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Models.Tests;

public class QuantizationTests
{
    [Fact]
    public void Int8_weights_predict_a_held_out_text_within_one_percent_of_float32() => AssertLoss(QuantizationFormat.Int8, 0.01);

    [Fact]
    public void Int4_weights_predict_a_held_out_text_within_one_percent_of_float32() => AssertLoss(QuantizationFormat.Int4, 0.01);

    [Theory]
    [InlineData(FrozenFormat.Int8)]
    [InlineData(FrozenFormat.Int4)]
    [InlineData(FrozenFormat.DoubleNormalFloat4)]
    public void Adapters_over_a_base_in_few_bits_end_within_one_percent_of_those_over_float32(FrozenFormat format)
    {
        var (start, expected) = Tune(null);
        var (_, found) = Tune(format);
        TestContext.Current.TestOutputHelper?.WriteLine($"from {start:F5} float32 {expected:F5}, {format} {found:F5}");
        Assert.True(expected < 0.99 * start, $"{start} to {expected}");
        Assert.NotEqual(expected, found);
        Assert.Equal(expected, found, 0.01 * expected);

        static (double Start, double End) Tune(FrozenFormat? format)
        {
            using var model = CausalLanguageModel.Load(TalesModel.Folder);
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 8, TargetModules = ["all-linear"] }, seed: 1);
            var options = new LanguageTrainingOptions
            {
                MaximumSteps = 16, BatchSize = 4, LearningRate = 2e-3, Precision = Precision.Float32, FrozenFormat = format,
            };
            var result = new LanguageModelTrainer(model, options, MarsTexts.Blocks("train"), [.. MarsTexts.Blocks("test").Take(8)])
                .Train(cancellationToken: TestContext.Current.CancellationToken);
            return (result.InitialValidationLoss!.Value, result.ValidationLoss!.Value);
        }
    }

    private static void AssertLoss(QuantizationFormat format, double most)
    {
        using var model = CausalLanguageModel.Load(TalesModel.Folder);
        var rows = MarsTexts.Blocks("test");
        var exact = Loss();

        WeightQuantization.Quantize(model, format);

        var quantized = Loss();
        TestContext.Current.TestOutputHelper?.WriteLine($"float32 {exact:F5}, {format} {quantized:F5}");
        Assert.NotEqual(exact, quantized);
        Assert.Equal(exact, quantized, most * exact);

        double Loss() => Evaluator.Evaluate(model, rows, cancellationToken: TestContext.Current.CancellationToken).Loss;
    }
}
