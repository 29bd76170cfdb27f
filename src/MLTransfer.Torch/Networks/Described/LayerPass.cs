using MLTransfer.Torch.Layers;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>What a layer that works otherwise in training than in inference needs to know of a forward pass.</summary>
/// <param name="IsTraining">Whether dropout and batch statistics are at work.</param>
/// <param name="Dropout">Where dropout draws from.</param>
internal readonly record struct LayerPass(bool IsTraining, DropoutSource Dropout);
