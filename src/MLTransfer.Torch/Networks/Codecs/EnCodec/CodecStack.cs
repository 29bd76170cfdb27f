using System.Globalization;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>The encoder or the decoder: layers one after the other, exponential linear units before some.</summary>
internal sealed class CodecStack : NamedModule
{
    private readonly WeightScope _weights;
    private readonly EnCodecConfiguration _configuration;
    private readonly List<(CodecLayer Layer, bool Activates)> _layers = [];
    private int _places;

    private CodecStack(string name, WeightScope weights, EnCodecConfiguration configuration)
        : base(name)
    {
        (_weights, _configuration) = (weights, configuration);
    }

    /// <summary>Sounds [B, channels, L] to [B, hidden width, ceil(L / hop)].</summary>
    public static CodecStack Encoder(WeightScope weights, EnCodecConfiguration c)
    {
        var stack = new CodecStack("encoder", weights, c);
        var filters = c.Filters;
        stack.Add(place => new PaddedConvolution(place, c, c.Channels, filters, c.Kernel));
        foreach (var ratio in c.Ratios.Reverse())
        {
            var narrow = filters;
            stack.AddResidualUnits(narrow);
            stack.Add(place => new PaddedConvolution(place, c, narrow, 2 * narrow, 2 * ratio, stride: ratio), activates: true);
            filters *= 2;
        }

        stack.Add(place => new RecurrentLayer(place, filters, c.RecurrentLayers));
        stack.Add(place => new PaddedConvolution(place, c, filters, c.HiddenWidth, c.LastKernel), activates: true);
        return stack;
    }

    /// <summary>[B, hidden width, T] to sounds [B, channels, T times hop].</summary>
    public static CodecStack Decoder(WeightScope weights, EnCodecConfiguration c)
    {
        var stack = new CodecStack("decoder", weights, c);
        var filters = c.MostFilters;
        stack.Add(place => new PaddedConvolution(place, c, c.HiddenWidth, filters, c.Kernel));
        stack.Add(place => new RecurrentLayer(place, filters, c.RecurrentLayers));
        foreach (var ratio in c.Ratios)
        {
            var wide = filters;
            stack.Add(place => new TransposedConvolution(place, c, wide, wide / 2, ratio), activates: true);
            stack.AddResidualUnits(wide / 2);
            filters /= 2;
        }

        stack.Add(place => new PaddedConvolution(place, c, filters, c.Channels, c.LastKernel), activates: true);
        return stack;
    }

    public Tensor Forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        foreach (var (layer, activates) in _layers)
        {
            using var inner = NewDisposeScope();
            input = layer.Forward(activates ? input.elu() : input).MoveToOuterDisposeScope();
        }

        return input.MoveToOuterDisposeScope();
    }

    private void AddResidualUnits(int channels)
    {
        var dilation = 1;
        for (var unit = 0; unit < _configuration.ResidualUnits; unit++, dilation *= _configuration.DilationGrowth)
        {
            var spacing = dilation;
            Add(place => new ResidualUnit(place, _configuration, channels, spacing));
        }
    }

    /// <param name="make">Makes the layer of its scope.</param>
    /// <param name="activates">Whether an exponential linear unit comes before it, which takes a place in the list of layers.</param>
    private void Add(Func<WeightScope, CodecLayer> make, bool activates = false)
    {
        if (activates)
            _places++;
        var place = "layers." + _places.ToString(CultureInfo.InvariantCulture);
        var layer = make(_weights.Scope(place));
        ModuleNode.Add(this, place, layer);
        _layers.Add((layer, activates));
        _places++;
    }
}
