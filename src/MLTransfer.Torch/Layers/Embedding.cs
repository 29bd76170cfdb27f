using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>A table of vectors that is read by index.</summary>
internal sealed class Embedding : nn.Module<Tensor, Tensor>
{
    public Embedding(WeightScope weights, int count, int width, Initialization initialization)
        : base(nameof(Embedding))
    {
        Weight = weights.Take("weight", initialization, count, width);
        register_parameter("weight", Weight);
    }

    /// <summary>[count, width].</summary>
    public Parameter Weight { get; }

    /// <summary>Int64 indices of any shape to [..., width].</summary>
    public override Tensor forward(Tensor indices)
    {
        using var scope = NewDisposeScope();
        return Weight.index_select(0, indices.reshape(-1)).view([.. indices.shape, Weight.shape[1]]).MoveToOuterDisposeScope();
    }

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
