using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>DALL-E's transformer over a caption and then a picture, of full attention and tables of positions.</summary>
internal sealed class PlainDalle : PlainTextToImage
{
    private readonly TextToImageShape _shape;
    private readonly Embedding _text;
    private readonly Embedding _image;
    private readonly Embedding _textPositions;
    private readonly Embedding _imagePositions;
    private readonly ModuleList<PlainDalleBlock> _blocks;
    private readonly LayerNorm _norm;
    private readonly Linear _head;

    public PlainDalle(TextToImageShape shape)
        : base(nameof(PlainDalle), shape.Codes)
    {
        _shape = shape;
        _text = nn.Embedding(shape.TextRows, shape.Width);
        _image = nn.Embedding(shape.Codebook, shape.Width);
        _textPositions = nn.Embedding(shape.TextLength + 1, shape.Width);
        _imagePositions = nn.Embedding(shape.Codes, shape.Width);
        _blocks = [.. Enumerable.Range(0, shape.Depth).Select(_ => new PlainDalleBlock(shape.Width, shape.Heads))];
        _norm = nn.LayerNorm(shape.Width);
        _head = nn.Linear(shape.Width, shape.TextRows + shape.Codebook);
        RegisterComponents();
    }

    protected override IEnumerable<PlainLinear> AdaptedLayers => _blocks.SelectMany(block => block.Layers);

    public override Tensor Loss(Tensor text, Tensor codes)
    {
        using var scope = NewDisposeScope();
        var tokens = Padded(text);
        var image = codes.narrow(1, 0, _shape.Codes - 1);
        var x = cat([OfText(tokens), _image.call(image) + _imagePositions.weight!.narrow(0, 0, _shape.Codes - 1)], 1);
        foreach (var block in _blocks)
            x = block.Forward(x, cache: null, past: 0);
        var logits = _head.call(_norm.call(x));                                                     // [batch, length, all tokens]
        var isText = arange(logits.shape[1]).lt(_shape.TextLength).unsqueeze(1);
        var isTextToken = arange(logits.shape[2]).lt(_shape.TextRows).unsqueeze(0);
        logits = logits.masked_fill(isText.ne(isTextToken), finfo(ScalarType.Float32).min).transpose(1, 2);
        var ofText = F.cross_entropy(logits.narrow(2, 0, _shape.TextLength), tokens);
        var ofImage = F.cross_entropy(logits.narrow(2, _shape.TextLength, _shape.Codes), codes + _shape.TextRows);
        return ((ofText + 7 * ofImage) / 8).MoveToOuterDisposeScope();
    }

    protected override PlainDrawing Begin(Tensor text) => new Drawing(this, text);

    private Tensor OfText(Tensor tokens) =>
        _text.call(cat([zeros([tokens.shape[0], 1], ScalarType.Int64), tokens], 1)) + _textPositions.weight!;

    private Tensor Padded(Tensor text) =>
        where(text.eq(0), arange(_shape.TextVocabulary, _shape.TextVocabulary + _shape.TextLength), text);

    private sealed class Drawing : PlainDrawing
    {
        private readonly PlainDalle _model;
        private readonly PlainKeyValueCache[] _caches;

        public Drawing(PlainDalle model, Tensor text)
        {
            _model = model;
            var shape = model._shape;
            _caches = [.. model._blocks.Select(block => block.CreateCache(text.shape[0], shape.TextLength + shape.Codes))];
            Read(model.OfText(model.Padded(text)), 0L);
        }

        public override Tensor Logits() => F.linear(
            _model._norm.call(State), _model._head.weight!.narrow(0, _model._shape.TextRows, _model._shape.Codebook),
            _model._head.bias!.narrow(0, _model._shape.TextRows, _model._shape.Codebook));

        public override void Read(Tensor codes, int place) => Read(
            (_model._image.call(codes) + _model._imagePositions.weight![place]).unsqueeze(1), _model._shape.TextLength + 1L + place);

        public override void Dispose()
        {
            base.Dispose();
            foreach (var cache in _caches)
                cache.Dispose();
        }

        private void Read(Tensor x, long past)
        {
            using var scope = NewDisposeScope();
            foreach (var (block, cache) in _model._blocks.Zip(_caches))
                x = block.Forward(x, cache, past);
            State = x.select(1, -1).clone();
        }
    }
}
