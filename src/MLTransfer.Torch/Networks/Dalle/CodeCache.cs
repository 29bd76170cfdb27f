using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>What is kept of the text and of the codes before, of a few rows: keys and values by layer, and channels that are
/// shifted.</summary>
internal sealed class CodeCache : IDisposable
{
    /// <param name="sizes">The transformer's.</param>
    /// <param name="shift">How channels are shifted; null for not.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="type">The type of keys and values.</param>
    public CodeCache(DalleConfiguration sizes, TokenShift? shift, int rows, ScalarType type)
    {
        Layers = [.. sizes.Kinds.Select(kind => new LayerCache(kind, sizes, rows, type))];
        Shifted = shift is null ? [] : [.. Enumerable.Range(0, 2 * sizes.Depth).Select(_ => shift.CreateMemory(rows))];
    }

    public IReadOnlyList<LayerCache> Layers { get; }

    /// <summary>For each layer that of its attention and that of its feed-forward.</summary>
    public IReadOnlyList<TokenShift.Memory> Shifted { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in Layers)
            layer.Dispose();
    }
}
