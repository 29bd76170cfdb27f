using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>A layer of <see cref="PlainDalleMini"/>.</summary>
internal sealed class PlainDalleMiniBlock : nn.Module
{
    private readonly PlainDalleMiniAttention _own;
    private readonly PlainDalleMiniAttention? _captions;
    private readonly LayerNorm _before;
    private readonly LayerNorm _inner;
    private readonly PlainLinear _gate;
    private readonly PlainLinear _values;
    private readonly PlainLinear _output;

    public PlainDalleMiniBlock(TextToImageShape shape, bool isDecoder)
        : base(nameof(PlainDalleMiniBlock))
    {
        _own = new PlainDalleMiniAttention(shape, isCausal: isDecoder);
        _captions = isDecoder ? new PlainDalleMiniAttention(shape, isCausal: false) : null;
        (_before, _inner) = (nn.LayerNorm(shape.Width), nn.LayerNorm(shape.Inner));
        (_gate, _values) = (new PlainLinear(shape.Width, shape.Inner, false), new PlainLinear(shape.Width, shape.Inner, false));
        _output = new PlainLinear(shape.Inner, shape.Width, false);
        RegisterComponents();
    }

    public IEnumerable<PlainLinear> AdaptedLayers => [.. _own.AdaptedLayers, .. _captions?.AdaptedLayers ?? []];

    /// <summary>See <see cref="PlainDalleMiniStack.Forward"/>.</summary>
    public Tensor Forward(Tensor x, Tensor? encoded, Tensor mask, PlainDalleMiniCache? cache, long past)
    {
        using var scope = NewDisposeScope();
        x = x + _own.Forward(x, states => _own.KeysAndValues(states, cache?.Own, past), _captions is null ? mask : null);
        if (_captions is not null)
            x = x + _captions.Forward(x, _ => cache?.Captions ?? _captions.KeysAndValues(encoded!, null, 0), mask);
        var inner = _before.call(x);
        x = x + _output.call(_inner.call(F.gelu(_gate.call(inner)) * _values.call(inner)));
        return x.MoveToOuterDisposeScope();
    }

    public PlainDalleMiniCache CreateCache(Tensor encoded, int capacity)
    {
        var (keys, values) = _captions!.KeysAndValues(encoded, null, 0);
        return new PlainDalleMiniCache(
            new PlainKeyValueCache([encoded.shape[0], keys.shape[1], capacity, keys.shape[3]], ScalarType.Float32), keys, values);
    }
}
