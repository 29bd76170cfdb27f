using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>The encoder or the decoder of <see cref="PlainDalleMini"/>.</summary>
internal sealed class PlainDalleMiniStack : nn.Module
{
    private readonly TextToImageShape _shape;
    private readonly Embedding _tokens;
    private readonly Embedding _positions;
    private readonly LayerNorm _norm;
    private readonly LayerNorm _final;
    private readonly ModuleList<PlainDalleMiniBlock> _blocks;

    public PlainDalleMiniStack(TextToImageShape shape, int rows, int length, bool isDecoder)
        : base(nameof(PlainDalleMiniStack))
    {
        _shape = shape;
        (_tokens, _positions) = (nn.Embedding(rows, shape.Width), nn.Embedding(length, shape.Width));
        (_norm, _final) = (nn.LayerNorm(shape.Width), nn.LayerNorm(shape.Width));
        _blocks = [.. Enumerable.Range(0, shape.Depth).Select(_ => new PlainDalleMiniBlock(shape, isDecoder))];
        RegisterComponents();
    }

    public IEnumerable<PlainLinear> AdaptedLayers => _blocks.SelectMany(block => block.AdaptedLayers);

    /// <summary>[batch, length] ids to states [batch, length, width].</summary>
    /// <param name="ids">Those behind <paramref name="past"/>.</param>
    /// <param name="encoded">What a decoder reads beside; null where the caches have it.</param>
    /// <param name="mask">[batch, 1, 1, text length]: which captions' tokens are seen.</param>
    /// <param name="caches">Of a decoder's blocks; null for none.</param>
    /// <param name="past">Positions before.</param>
    public Tensor Forward(Tensor ids, Tensor? encoded, Tensor mask, PlainDalleMiniCache[]? caches, long past)
    {
        using var scope = NewDisposeScope();
        var x = _norm.call(_tokens.call(ids) + _positions.weight!.narrow(0, past, ids.shape[1]));
        for (var i = 0; i < _blocks.Count; i++)
            x = _blocks[i].Forward(x, encoded, mask, caches?[i], past);
        return _final.call(x).MoveToOuterDisposeScope();
    }

    public PlainDalleMiniCache[] CreateCaches(Tensor encoded) =>
        [.. _blocks.Select(block => block.CreateCache(encoded, _shape.Codes))];
}
