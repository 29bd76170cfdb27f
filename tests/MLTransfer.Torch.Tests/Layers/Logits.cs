using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Layers;

/// <summary>What a model says about a few rows.</summary>
internal static class Logits
{
    public static float[] Of(CausalLanguageModel model)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        return model.Forward(TrainingBatch.Create([.. TinyRun.Rows.Take(3)], CPU).Input).data<float>().ToArray();
    }

    public static void AssertClose(float[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst < tolerance, $"logits differ by {worst}");
    }
}
