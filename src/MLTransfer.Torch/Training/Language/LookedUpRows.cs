using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// The rows of a table that a pass reads, as a leaf of its graph: libtorch would make their gradient into one of the whole table.
/// </summary>
internal sealed class LookedUpRows
{
    private readonly Parameter _table;
    private readonly Tensor _ids;

    /// <summary>Looks rows up, in the current dispose scope.</summary>
    /// <param name="table">[rows, width].</param>
    /// <param name="ids">[...] int64.</param>
    public LookedUpRows(Parameter table, Tensor ids)
    {
        (_table, _ids) = (table, ids.view(-1));
        using (no_grad())
            Values = table.index_select(0, _ids).view([.. ids.shape, table.shape[1]]).requires_grad_(table.requires_grad);
    }

    /// <summary>[..., width].</summary>
    public Tensor Values { get; }

    /// <summary>Adds the gradient of the rows to the table's.</summary>
    public void Backward()
    {
        if (Values.grad is not { } gradient)
            return;
        _table.grad ??= zeros_like(_table);
        using var tableGradient = _table.grad;
        tableGradient.index_add_(0, _ids, gradient.view(-1, _table.shape[1]), 1);
    }
}
