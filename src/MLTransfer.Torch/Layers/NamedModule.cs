using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>A module whose constructor registers its parts under the names that checkpoints use.</summary>
internal abstract class NamedModule(string name) : nn.Module(name)
{
    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
