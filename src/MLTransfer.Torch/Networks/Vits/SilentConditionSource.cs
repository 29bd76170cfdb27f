using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>New weights by which speakers change nothing until they are trained.</summary>
internal sealed class SilentConditionSource(WeightSource initialized) : WeightSource
{
    public override bool IsNew => false;

    public override ScalarType DataType => initialized.DataType;

    public override bool Contains(string name) => true;

    public override Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape)
    {
        var isSilent = name.EndsWith(".cond.weight", StringComparison.Ordinal)
            || name.EndsWith($".cond_layer.{ConvolutionWeight.Length}", StringComparison.Ordinal);
        return initialized.Take(name, isSilent ? Initialization.Zeros : initialization, shape);
    }
}
