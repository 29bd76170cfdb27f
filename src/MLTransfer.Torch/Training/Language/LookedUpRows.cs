using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// The rows of a table that a pass reads, as a leaf of its graph: libtorch would make their gradient into one of the whole table.
/// </summary>
internal sealed class LookedUpRows
{
    private readonly Embedding _module;
    private readonly Parameter _table;
    private readonly Tensor _ids;

    /// <summary>Looks rows up, in the current dispose scope.</summary>
    /// <param name="module">The table: [rows, width].</param>
    /// <param name="ids">[...] int64.</param>
    /// <param name="type">The type of what goes through the network.</param>
    /// <param name="addNoise">Changes the rows in place, [..., width]; null for as they are.</param>
    public LookedUpRows(Embedding module, Tensor ids, ScalarType type, Action<Tensor>? addNoise = null)
    {
        (_module, _table, _ids) = (module, module.Weight, ids.view(-1));
        using (no_grad())
        {
            Values = _table.index_select(0, _ids).to(type).view([.. ids.shape, _table.shape[1]]);
            addNoise?.Invoke(Values);
            Values.requires_grad_(_table.requires_grad || module.TrainedRows is not null);
        }
    }

    /// <summary>The tokens of a stack, with noise where there is some, in the current dispose scope.</summary>
    /// <param name="input">What reads them.</param>
    /// <param name="ids">[batch, length] int64.</param>
    /// <param name="type">The type of what goes through the network.</param>
    /// <param name="noise">On embeddings; null for none.</param>
    /// <param name="stream">Tells the tables of a network apart, for the noise.</param>
    public static LookedUpRows OfTokens(InputModule input, Tensor ids, ScalarType type, EmbeddingNoise? noise, ulong stream) =>
        new(input.Tables[0], ids, type, noise is null ? null : values => noise.AddTo(values, input.TableScale, stream));

    /// <summary>[..., width].</summary>
    public Tensor Values { get; }

    /// <summary>Adds the gradient of the rows to the table's.</summary>
    public void Backward()
    {
        if (Values.grad is not { } gradient)
            return;
        _module.TrainedRows?.AddLookedUp(_ids, gradient.view(-1, _table.shape[1]));
        if (!_table.requires_grad)
            return;
        _table.grad ??= zeros_like(_table);
        using var tableGradient = _table.grad;
        RowSums.Add(tableGradient, _ids, gradient.view(-1, _table.shape[1]));
    }
}
