using MLTransfer.Models;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML.OnnxRuntime;
using Xunit;

namespace MLTransfer.Onnx.Tests;

public class GreedyGenerationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Greedy_continuations_equal_the_engines_token_by_token(bool fused)
    {
        using var model = TestModels.Tales();
        using var folder = new TemporaryFolder();
        OnnxExporter.Export(model, null, folder["tales"], new OnnxExportOptions { FusedOperators = fused, Check = false });
        int[] prompt = TextTokenizer.Load(TalesModel.Folder).Encode("The old king rode over the hill, and all his people");
        var expected = new TokenGenerator(model).Generate([prompt], new GenerationOptions { MaximumNewTokens = 60 })[0][0].TokenIds;

        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(folder["tales/model.onnx"], options);
        Assert.Equal(expected, Continue(session, prompt, 60));
    }

    /// <summary>The loop that a program writes that has nothing but ONNX Runtime.</summary>
    private static List<int> Continue(InferenceSession session, int[] prompt, int count)
    {
        string[] inputNames = [.. session.InputNames];
        string[] pastNames = [.. inputNames.Where(name => name.StartsWith("past_key_values", StringComparison.Ordinal))];
        string[] outputNames =
            ["logits", .. pastNames.Select(name => name.Replace("past_key_values", "present", StringComparison.Ordinal))];
        using var runOptions = new RunOptions();

        var past = pastNames.Select(name =>
        {
            var dimensions = session.InputMetadata[name].Dimensions;
            return OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), [1, dimensions[1], 0, dimensions[3]]);
        }).ToList();
        var result = new List<int>();
        long[] next = [.. prompt.Select(id => (long)id)];
        var length = 0;
        while (result.Count < count)
        {
            length += next.Length;
            var mask = Enumerable.Repeat(1L, length).ToArray();
            var positions = Enumerable.Range(length - next.Length, next.Length).Select(i => (long)i).ToArray();
            using var ids = OrtValue.CreateTensorValueFromMemory(next, [1, next.Length]);
            using var maskValue = OrtValue.CreateTensorValueFromMemory(mask, [1, length]);
            using var positionValue = OrtValue.CreateTensorValueFromMemory(positions, [1, next.Length]);
            var outputs = session.Run(
                runOptions, ["input_ids", "attention_mask", "position_ids", .. pastNames], [ids, maskValue, positionValue, .. past],
                outputNames).ToList();
            foreach (var value in past)
                value.Dispose();
            past = outputs[1..];
            using var logits = outputs[0];
            var last = logits.GetTensorDataAsSpan<float>()[^(int)logits.GetTensorTypeAndShape().Shape[2]..];
            var best = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(last);
            result.Add(best);
            next = [best];
        }

        foreach (var value in past)
            value.Dispose();
        return result;
    }
}
