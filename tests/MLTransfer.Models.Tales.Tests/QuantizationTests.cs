using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Models.Tests;

public class QuantizationTests
{
    [Fact]
    public void Int8_weights_predict_a_held_out_text_within_one_percent_of_float32() => AssertLoss(QuantizationFormat.Int8, 0.01);

    [Fact]
    public void Int4_weights_predict_a_held_out_text_within_one_percent_of_float32() => AssertLoss(QuantizationFormat.Int4, 0.01);

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
