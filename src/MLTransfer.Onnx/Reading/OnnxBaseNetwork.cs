using MLTransfer.Onnx.Schema;
using MLTransfer.Torch.Networks.Described;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading;

/// <summary>A pretrained network out of an ONNX file.</summary>
internal abstract class OnnxBaseNetwork(OnnxGraph graph) : BaseNetwork($"the network of '{graph.Location}'")
{
    public OnnxGraph Graph => graph;

    public override IReadOnlyList<long>? InputShape => graph.InputShape;

    /// <summary>The file with the weights as they are now.</summary>
    public abstract ModelProto ToModel();

    /// <summary>[batch, input shape] to [batch, features]; a file that fixes its batch at 1 is run row by row.</summary>
    public override Tensor Forward(Tensor input)
    {
        if (graph.BatchSize is null || graph.BatchSize == input.shape[0])
            return Run(input);
        if (graph.BatchSize != 1)
        {
            throw new NotSupportedException(
                $"'{graph.Location}' takes {graph.BatchSize} rows at a time. Export it with a symbolic batch, or with a batch of 1.");
        }

        using var scope = NewDisposeScope();
        return cat([.. input.split(1).Select(Run)]).MoveToOuterDisposeScope();
    }

    protected abstract Tensor Run(Tensor input);
}
