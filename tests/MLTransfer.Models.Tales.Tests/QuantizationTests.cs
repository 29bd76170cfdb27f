using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Models.Tests;

public class QuantizationTests
{
    [Fact]
    public void Int8_weights_predict_a_held_out_text_within_one_percent_of_float32()
    {
        using var model = CausalLanguageModel.Load(TalesModel.Folder);
        var rows = MarsTexts.Blocks("test");
        var exact = Loss();

        WeightQuantization.Quantize(model);

        var quantized = Loss();
        TestContext.Current.TestOutputHelper?.WriteLine($"float32 {exact:F5}, int8 {quantized:F5}");
        Assert.NotEqual(exact, quantized);
        Assert.Equal(exact, quantized, 0.01 * exact);

        double Loss() => Evaluator.Evaluate(model, rows, cancellationToken: TestContext.Current.CancellationToken).Loss;
    }
}
