using System.Text.Json.Nodes;
using MLTransfer.Onnx.Writing;
using Xunit;

namespace MLTransfer.Onnx.Tests;

/// <summary>Every switch of <c>config.json</c> that the engine computes with.</summary>
[Collection(ProcessWideState.Name)]
public class Gpt2ConfigurationTests
{
    [Theory]
    [InlineData("scale_attn_weights", "false")]
    [InlineData("scale_attn_by_inverse_layer_idx", "true")]
    [InlineData("reorder_and_upcast_attn", "true")]
    [InlineData("n_inner", "96")]
    [InlineData("layer_norm_epsilon", "0.05")]
    [InlineData("tie_word_embeddings", "false")]
    [InlineData("n_head", "1")]
    [InlineData("n_layer", "1")]
    [InlineData("vocab_size", "33")]
    [InlineData("activation_function", "\"gelu_pytorch_tanh\"")]
    [InlineData("activation_function", "\"gelu\"")]
    [InlineData("activation_function", "\"quick_gelu\"")]
    [InlineData("activation_function", "\"relu\"")]
    [InlineData("activation_function", "\"silu\"")]
    [InlineData("activation_function", "\"tanh\"")]
    public void Every_switch_of_the_configuration_is_exported(string entry, string value)
    {
        using var model = TestModels.Random(json => json[entry] = JsonNode.Parse(value));
        using var folder = new TemporaryFolder();
        foreach (var fused in (bool[])[false, true])
        {
            OnnxExporter.Export(model, null, folder["export"], new OnnxExportOptions { FusedOperators = fused, Check = false });
            using var session = LogitComparison.Open(folder["export"]);
            var difference = LogitComparison.LargestDifference(model, session, seed: 5, [0, 3], 10, 1, 4);
            Assert.True(difference < 1e-4, $"{entry} {value}, fused operators {fused}: worst difference {difference}");
        }
    }

    [Theory]
    [InlineData(OnnxPrecision.Float16)]
    [InlineData(OnnxPrecision.Int8)]
    [InlineData(OnnxPrecision.Int4)]
    public void Every_precision_exports_every_shape(OnnxPrecision precision)
    {
        // Widths that are no multiples of a block of int4, a head of its own, and scores in float32 within float16.
        using var model = TestModels.Random(json =>
        {
            json["n_embd"] = 72;
            json["n_inner"] = 50;
            json["tie_word_embeddings"] = false;
            json["reorder_and_upcast_attn"] = true;
            json["scale_attn_by_inverse_layer_idx"] = true;
        });
        using var folder = new TemporaryFolder();
        foreach (var fused in (bool[])[false, true])
        {
            var file = Assert.Single(OnnxExporter.Export(
                model, null, folder["export"], new OnnxExportOptions { Precision = precision, FusedOperators = fused }));
            Assert.NotNull(file.LargestDifference);
        }
    }
}
