using MLTransfer.Torch.Layers;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>A tensor that a layer needs.</summary>
/// <param name="Name">Its name in the layer, as PyTorch has it.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Initialization">How it starts.</param>
/// <param name="IsTrainable">False for statistics, which training gathers but no gradient changes.</param>
internal sealed record LayerWeight(string Name, long[] Shape, Initialization Initialization, bool IsTrainable = true);
