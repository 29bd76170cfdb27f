using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Writing;
using MLTransfer.Torch.Networks.Transformers;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests;

/// <summary>The logits of an exported file beside those of the engine.</summary>
internal static class LogitComparison
{
    public static OnnxModelSession Open(string folder, string file = OnnxExporter.ModelFileName)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL, IntraOpNumThreads = 1 };
        return new OnnxModelSession(new InferenceSession(Path.Combine(folder, file), options));
    }

    /// <summary>The largest difference over all real tokens.</summary>
    /// <param name="model">The engine's model.</param>
    /// <param name="session">The exported one.</param>
    /// <param name="seed">Of the tokens.</param>
    /// <param name="paddings">For each row how many positions on the left are padding.</param>
    /// <param name="parts">How many positions are read at once, part after part.</param>
    public static double LargestDifference(
        CausalLanguageModel model, OnnxModelSession session, int seed, int[] paddings, params int[] parts)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var (batch, length) = (paddings.Length, parts.Sum());
        var random = new Random(seed);
        var (ids, mask, positions) = (new long[batch, length], new long[batch, length], new long[batch, length]);
        for (var row = 0; row < batch; row++)
        {
            for (var i = 0; i < length; i++)
            {
                ids[row, i] = random.Next(model.VocabularySize);
                mask[row, i] = i < paddings[row] ? 0 : 1;
                positions[row, i] = Math.Max(0, i - paddings[row]);
            }
        }

        var (idTensor, maskTensor, positionTensor) = (tensor(ids), tensor(mask), tensor(positions));
        var expected = model.Forward(new ModelInput(idTensor) { AttentionMask = maskTensor, PositionIds = positionTensor });
        var results = new List<Tensor>();
        session.Clear();
        var start = 0;
        foreach (var part in parts)
        {
            results.Add(
                session.Run(idTensor.narrow(1, start, part), maskTensor.narrow(1, 0, start + part), positionTensor.narrow(1, start, part)));
            start += part;
        }

        var real = maskTensor.to(ScalarType.Bool);
        return (cat(results, 1)[real] - expected[real]).abs().max().ToDouble();
    }
}
