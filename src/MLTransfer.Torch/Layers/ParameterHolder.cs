using TorchSharp;
using TorchSharp.Modules;

namespace MLTransfer.Torch.Layers;

/// <summary>Gives a lone parameter the name <c>module.weight</c> that checkpoints use for embeddings.</summary>
internal sealed class ParameterHolder : torch.nn.Module
{
    public ParameterHolder(Parameter weight)
        : base(nameof(ParameterHolder)) => register_parameter("weight", weight);
}
