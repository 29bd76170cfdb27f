using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics.Rows;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>Vectors of tokens: a table, or some rows of the output head.</summary>
internal sealed class TokenTable
{
    private readonly Linear? _head;
    private readonly int _first;

    /// <summary>A table of its own.</summary>
    public TokenTable(Embedding own) => Own = own;

    /// <summary>Rows of the output head from one on.</summary>
    public TokenTable(Linear head, int first) => (_head, _first) = (head, first);

    /// <summary>The table; null where the head's rows are looked up.</summary>
    public Embedding? Own { get; }

    /// <summary>Int64 ids of any shape to [..., width].</summary>
    public Tensor LookUp(Tensor ids)
    {
        using var scope = NewDisposeScope();
        if (Own is not null)
            return Own.call(ids).MoveToOuterDisposeScope();

        var weight = _head!.Weight;
        var rows = (ids + _first).reshape(-1);
        // on a graphics processor the gradient of index_select is added up in whatever order threads come, that of an index is not
        var found = weight.device_type == TorchSharp.DeviceType.CPU ? weight.index_select(0, rows) : weight[TensorIndex.Tensor(rows)];
        found = found.view([.. ids.shape, weight.shape[1]]);
        if (_head.TrainedRows is { } rowsOfHead && is_grad_enabled())
            found = rowsOfHead.Join(ids + _first, found);
        return found.MoveToOuterDisposeScope();
    }

    /// <summary>Copies one vector.</summary>
    public void Read(int id, Span<float> target)
    {
        if (Own is not null)
            Own.Read(id, target);
        else
            FloatRows.Read(_head!.Weight, (long)(_first + id) * target.Length, target);
    }
}
