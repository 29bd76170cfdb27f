using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Checkpoints;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>All weights of a model, adapters included, to the last bit.</summary>
internal static class WeightBytes
{
    public static IReadOnlyDictionary<string, byte[]> Of(TransformerNetwork model) =>
        model.CheckpointTensors().Concat(PeftAdapterFolder.Tensors(model)).ToDictionary(t => t.Key, t => TensorBytes.Of(t.Value));

    public static void AssertEqual(IReadOnlyDictionary<string, byte[]> expected, TransformerNetwork model)
    {
        var actual = Of(model);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, bytes) in expected)
            Assert.True(bytes.AsSpan().SequenceEqual(actual[name]), $"{name} differs");
    }
}
