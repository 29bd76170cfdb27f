using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks;

/// <summary>What the rows of new tokens start from in tables and output heads.</summary>
internal static class NewTokenRows
{
    /// <summary>Gives each new token the mean of the rows of what it was read as before, or of all known tokens where that was
    /// nothing.</summary>
    /// <param name="table">[rows, ...], which is changed: the new tokens' rows follow those of the known.</param>
    /// <param name="known">How many tokens there were.</param>
    /// <param name="pieces">For each new token the ids that its text had, each less than <paramref name="known"/>.</param>
    public static void Start(Tensor table, int known, IReadOnlyList<int[]> pieces)
    {
        if (table.device_type == TorchSharp.DeviceType.META)
            return;
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var rows = table.detach();
        var (before, after) = (rows.narrow(0, 0, known), rows.narrow(0, known, pieces.Count));
        foreach (var (token, ids) in pieces.Index())
        {
            var read = ids.Length == 0 ? before
                : before.index_select(0, tensor(Array.ConvertAll(ids, id => (long)id), device: rows.device));
            after[token].copy_(read.to(ScalarType.Float32).mean([0]));
        }
    }
}
