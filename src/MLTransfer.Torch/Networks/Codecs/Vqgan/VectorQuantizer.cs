using MLTransfer.Torch.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>Codewords: of each vector the number of the nearest one, and the vectors of numbers (arXiv 1711.00937).</summary>
/// <remarks>B: batch, D: width of a codeword, K: codewords, h and w: rows and columns of codes.</remarks>
internal sealed class VectorQuantizer
{
    private readonly Parameter _codewords;

    /// <param name="owner">The module that the parameter becomes part of.</param>
    /// <param name="name">What stands before <c>.weight</c>.</param>
    /// <param name="weights">Has the codewords [K, D].</param>
    /// <param name="configuration">Of the codec.</param>
    public VectorQuantizer(nn.Module owner, string name, WeightSource weights, VqganConfiguration configuration)
    {
        TableName = name + ".weight";
        _codewords = weights.Take(
            TableName, Initialization.Normal(1 / (Math.Sqrt(3) * configuration.CodebookSize)), configuration.CodebookSize,
            configuration.CodewordWidth);
        ModuleNode.Add(owner, TableName, _codewords);
    }

    /// <summary>The parameter's name.</summary>
    public string TableName { get; }

    /// <summary>[K, D].</summary>
    public Tensor Codewords => _codewords;

    /// <summary>Whether another one has the same codewords, as far as half precision tells.</summary>
    public bool HasSameCodewords(VectorQuantizer other)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        return _codewords.shape.SequenceEqual(other._codewords.shape)
            && (_codewords - other._codewords.to(_codewords.device)).abs().max().item<float>()
                <= 1e-3f * _codewords.abs().max().item<float>();
    }

    /// <summary>The nearest codewords of vectors, [B, D, h, w] to int64 [B, h w]; of equally near ones the first.</summary>
    public Tensor Nearest(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var rows = vectors.permute(0, 2, 3, 1).reshape(-1, vectors.shape[1]);                       // [B h w, D]
        var distances = rows.square().sum(1, keepdim: true) + _codewords.square().sum(1) - 2 * rows.matmul(_codewords.t());
        return distances.argmin(1).view(vectors.shape[0], -1).MoveToOuterDisposeScope();
    }

    /// <summary>The codewords of numbers, int64 [B, h w] to [B, D, h, w].</summary>
    public Tensor Look(Tensor codes, int rows)
    {
        using var scope = NewDisposeScope();
        return _codewords.index_select(0, codes.reshape(-1)).view(codes.shape[0], rows, codes.shape[1] / rows, -1)
            .permute(0, 3, 1, 2).contiguous().MoveToOuterDisposeScope();
    }
}
