using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Weights;

/// <summary>A weight of a model, read when it is written.</summary>
/// <param name="Name">The parameter's name in the checkpoint.</param>
/// <param name="Layout">The order of the dimensions; a table of embeddings has those of an output head.</param>
/// <param name="Inputs">The width that it multiplies.</param>
/// <param name="Outputs">The width that it gives, or the rows of a table.</param>
/// <param name="Read">Gives a tensor of two dimensions that the caller disposes.</param>
internal sealed record WeightMatrix(string Name, WeightLayout Layout, long Inputs, long Outputs, Func<Tensor> Read)
{
    public long[] Shape => Layout == WeightLayout.InputByOutput ? [Inputs, Outputs] : [Outputs, Inputs];

    /// <summary>The same matrix as a plain product takes it on its right.</summary>
    public WeightMatrix ToInputByOutput() => Layout == WeightLayout.InputByOutput ? this : this with
    {
        Layout = WeightLayout.InputByOutput,
        Read = () =>
        {
            using var scope = NewDisposeScope();
            return Read().t().MoveToOuterDisposeScope();
        },
    };

    /// <summary>[inputs, outputs] or [outputs, inputs], contiguous float32 on the CPU.</summary>
    public Tensor ReadFloats()
    {
        using var scope = NewDisposeScope();
        return Read().to(ScalarType.Float32, CPU).contiguous().MoveToOuterDisposeScope();
    }
}
