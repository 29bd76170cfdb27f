using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>
/// Rows of a frozen table of tokens that are trained (peft's trainable tokens). They are numbers of their own, which gradients and
/// optimizer see; the table has a copy, in its own type, which everything that computes reads.
/// </summary>
internal sealed class TokenRows : IDisposable
{
    /// <summary>What follows the module's name in that of the rows.</summary>
    public const string Name = "token_adapter.trainable_tokens_delta";

    private readonly Dictionary<long, int> _rows;

    /// <param name="ids">The rows' numbers, each once.</param>
    /// <param name="values">[ids, width].</param>
    public TokenRows(IReadOnlyList<int> ids, Tensor values)
    {
        Ids = tensor(ids.Select(id => (long)id).ToArray(), device: values.device).DetachFromDisposeScope();
        Values = new Parameter(values.DetachFromDisposeScope(), requires_grad: true);
        _rows = ids.Index().ToDictionary(entry => (long)entry.Item, entry => entry.Index);
    }

    /// <summary>[ids] int64.</summary>
    public Tensor Ids { get; }

    /// <summary>[ids, width].</summary>
    public Parameter Values { get; }

    /// <summary>The rows as they are in a table.</summary>
    /// <param name="ids">The rows' numbers, each once.</param>
    /// <param name="table">[rows, width].</param>
    /// <param name="type">The type of the numbers that are trained.</param>
    public static TokenRows Of(IReadOnlyList<int> ids, Tensor table, ScalarType type)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        if (table.device_type == TorchSharp.DeviceType.META)
            return new TokenRows(ids, empty([ids.Count, table.shape[1]], type, table.device));
        var index = tensor(ids.Select(id => (long)id).ToArray(), device: table.device);
        return new TokenRows(ids, table.detach().index_select(0, index).to(type, copy: true));
    }

    /// <summary>Writes the rows into a table, or into a converted copy of it.</summary>
    public void Write(Tensor table)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        table.detach().index_copy_(0, Ids, Values.to(table.dtype));
    }

    /// <summary>Adds what the gradient of looked-up rows is for these.</summary>
    /// <param name="ids">[tokens] int64.</param>
    /// <param name="gradients">[tokens, width].</param>
    public void AddLookedUp(Tensor ids, Tensor gradients)
    {
        using var scope = NewDisposeScope();
        var (tokens, rows) = Find(ids);
        if (tokens.Length > 0)
        {
            var read = gradients.index_select(0, tensor(tokens, device: gradients.device));
            Add(gradient => RowSums.Add(gradient, tensor(rows, device: gradients.device), read.to(gradient.dtype)));
        }
    }

    /// <summary>Looked-up vectors with those of these rows in the graph, so that they get their gradients.</summary>
    /// <param name="ids">[...] int64.</param>
    /// <param name="vectors">[..., width].</param>
    public Tensor Join(Tensor ids, Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var (tokens, rows) = Find(ids.reshape(-1));
        if (tokens.Length == 0)
            return vectors.alias().MoveToOuterDisposeScope();
        var own = Values.index_select(0, tensor(rows, device: vectors.device)).to(vectors.dtype);
        return vectors.reshape(-1, vectors.shape[^1]).index_copy(0, tensor(tokens, device: vectors.device), own).view(vectors.shape)
            .MoveToOuterDisposeScope();
    }

    /// <summary>A table, [rows, width], with these rows in the graph.</summary>
    public Tensor JoinTable(Tensor table) => table.index_copy(0, Ids, Values.to(table.dtype));

    /// <summary>Adds the gradient of a product with the table.</summary>
    /// <param name="outputGradients">[rows of the product, rows of the table].</param>
    /// <param name="inputs">[rows of the product, width].</param>
    public void AddProduct(Tensor outputGradients, Tensor inputs)
    {
        using var scope = NewDisposeScope();
        var own = outputGradients.index_select(1, Ids).to(Values.dtype);
        Add(gradient => gradient.addmm_(own.t(), inputs.to(gradient.dtype), 1, 1));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Ids.Dispose();
        Values.Dispose();
    }

    /// <summary>Which of the tokens are these rows', and which rows they are.</summary>
    private (long[] Tokens, long[] Rows) Find(Tensor ids)
    {
        var (tokens, rows) = (new List<long>(), new List<long>());
        foreach (var (token, id) in NativeTensor.AsSpan<long>(ids.to(CPU).contiguous()).ToArray().Index())
        {
            if (_rows.TryGetValue(id, out var row))
            {
                tokens.Add(token);
                rows.Add(row);
            }
        }

        return ([.. tokens], [.. rows]);
    }

    private void Add(Func<Tensor, Tensor> add)
    {
        using var gradients = no_grad();
        Values.grad ??= zeros_like(Values);
        using var gradient = Values.grad!;
        add(gradient);
    }
}
