using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>DALL-E mini's encoder of captions and decoder of codes.</summary>
internal sealed class PlainDalleMini : PlainTextToImage
{
    private readonly TextToImageShape _shape;
    private readonly PlainDalleMiniStack _encoder;
    private readonly PlainDalleMiniStack _decoder;
    private readonly Linear _head;

    public PlainDalleMini(TextToImageShape shape)
        : base(nameof(PlainDalleMini), shape.Codes)
    {
        _shape = shape;
        _encoder = new PlainDalleMiniStack(shape, shape.TextVocabulary, shape.TextLength, isDecoder: false);
        _decoder = new PlainDalleMiniStack(shape, shape.Codebook + 1, shape.Codes, isDecoder: true);
        _head = nn.Linear(shape.Width, shape.Codebook + 1, hasBias: false);
        RegisterComponents();
    }

    protected override IEnumerable<PlainLinear> AdaptedLayers => [.. _encoder.AdaptedLayers, .. _decoder.AdaptedLayers];

    public override Tensor Loss(Tensor text, Tensor codes)
    {
        using var scope = NewDisposeScope();
        var (encoded, mask) = Encode(text);
        var inputs = cat([full([codes.shape[0], 1], _shape.Codebook, ScalarType.Int64), codes.narrow(1, 0, _shape.Codes - 1)], 1);
        var logits = _head.call(_decoder.Forward(inputs, encoded, mask, caches: null, past: 0));    // [batch, codes, codebook + 1]
        return F.cross_entropy(logits.flatten(0, 1), codes.flatten()).MoveToOuterDisposeScope();
    }

    protected override PlainDrawing Begin(Tensor text) => new Drawing(this, text);

    private (Tensor Encoded, Tensor Mask) Encode(Tensor text)
    {
        var mask = text.ne(1).unsqueeze(1).unsqueeze(1);                                            // [batch, 1, 1, text length]
        return (_encoder.Forward(text, encoded: null, mask, caches: null, past: 0), mask);
    }

    private sealed class Drawing : PlainDrawing
    {
        private readonly PlainDalleMini _model;
        private readonly PlainDalleMiniCache[] _caches;
        private readonly Tensor _mask; // lives as long as the scope that the drawing is made in

        public Drawing(PlainDalleMini model, Tensor text)
        {
            _model = model;
            (var encoded, _mask) = model.Encode(text);
            _caches = model._decoder.CreateCaches(encoded);
            Read(full([text.shape[0]], model._shape.Codebook, ScalarType.Int64), -1);
        }

        public override Tensor Logits() => F.linear(State, _model._head.weight!.narrow(0, 0, _model._shape.Codebook));

        public override void Read(Tensor codes, int place)
        {
            using var scope = NewDisposeScope();
            State = _model._decoder.Forward(codes.unsqueeze(1), encoded: null, _mask, _caches, place + 1).squeeze(1);
        }

        public override void Dispose()
        {
            base.Dispose();
            foreach (var cache in _caches)
                cache.Dispose();
        }
    }
}
