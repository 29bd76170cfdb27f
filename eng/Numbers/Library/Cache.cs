using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace Numbers.Library;

/// <summary>Past keys and values.</summary>
internal sealed class Cache(KeyValueCache inner) : IDisposable
{
    public KeyValueCache Inner => inner;

    public void SelectRows(Tensor rows, int dropped) => inner.SelectRows(rows, dropped);

    public void Dispose() => inner.Dispose();
}
