using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>
/// A layer over sequences of feature maps. <see cref="Forward"/> is for training and for all devices; <see cref="Run"/> computes the same
/// on row kernels.
/// </summary>
internal abstract class CodecLayer(string name) : NamedModule(name)
{
    /// <summary>[B, channels, T] to [B, channels, T], perhaps with other channels and another length.</summary>
    public abstract Tensor Forward(Tensor input);

    /// <summary>The length that is made of one.</summary>
    public abstract int StepsOf(int steps);

    /// <summary>Feature maps of the output.</summary>
    public abstract int OutputChannels { get; }

    /// <summary>Steps beside its output that <see cref="Run"/> writes to.</summary>
    public virtual RowRoom Overhang => default;

    /// <summary>What <see cref="Run"/> reads of a sequence.</summary>
    public abstract RowDemand Demand(int steps);

    /// <summary>One sequence, in the forms of the output that there are.</summary>
    /// <param name="input">As <see cref="Demand"/> says; its room may be written to.</param>
    /// <param name="output">With at least <see cref="Overhang"/> beside it.</param>
    public abstract void Run(RowForms input, RowForms output);
}
