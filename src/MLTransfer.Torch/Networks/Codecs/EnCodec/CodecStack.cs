using System.Globalization;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>The encoder or the decoder: convolutions, memory, and convolutions again.</summary>
internal sealed class CodecStack : NamedModule
{
    private readonly WeightScope _weights;
    private readonly EnCodecConfiguration _configuration;
    private readonly List<CodecLayer> _before = [];
    private readonly List<CodecLayer> _after = [];
    private RecurrentLayer? _memory;
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
        stack.Add((place, activates) => new PaddedConvolution(place, c, c.Channels, filters, c.Kernel, activates), activates: false);
        foreach (var ratio in c.Ratios.Reverse())
        {
            var narrow = filters;
            stack.AddResidualUnits(narrow);
            stack.Add((place, activates) => new PaddedConvolution(place, c, narrow, 2 * narrow, 2 * ratio, activates, stride: ratio));
            filters *= 2;
        }

        stack.AddMemory(filters);
        stack.Add((place, activates) => new PaddedConvolution(place, c, filters, c.HiddenWidth, c.LastKernel, activates));
        return stack;
    }

    /// <summary>[B, hidden width, T] to sounds [B, channels, T times hop].</summary>
    public static CodecStack Decoder(WeightScope weights, EnCodecConfiguration c)
    {
        var stack = new CodecStack("decoder", weights, c);
        var filters = c.MostFilters;
        stack.Add((place, activates) => new PaddedConvolution(place, c, c.HiddenWidth, filters, c.Kernel, activates), activates: false);
        stack.AddMemory(filters);
        foreach (var ratio in c.Ratios)
        {
            var wide = filters;
            stack.Add((place, _) => new TransposedConvolution(place, c, wide, wide / 2, ratio));
            stack.AddResidualUnits(wide / 2);
            filters /= 2;
        }

        stack.Add((place, activates) => new PaddedConvolution(place, c, filters, c.Channels, c.LastKernel, activates));
        return stack;
    }

    public Tensor Forward(Tensor input)
    {
        // Normalized outputs need a pass of their own, which row kernels do not have.
        if (!training && !is_grad_enabled() && _configuration.HasWeightNorm && input.dtype == ScalarType.Float32
            && input.device_type == TorchSharp.DeviceType.CPU)
        {
            return Run(input);
        }

        using var scope = NewDisposeScope();
        var remembered = _memory!.Forward(Forward(_before, input).permute(2, 0, 1).contiguous()); // [T, B, channels]
        return Forward(_after, remembered.permute(1, 2, 0)).MoveToOuterDisposeScope();
    }

    /// <summary>The same on row kernels, sound by sound, but for the memory, which reads its weights once for all.</summary>
    private Tensor Run(Tensor input)
    {
        using var scope = NewDisposeScope();
        var rows = Enumerable.Range(0, (int)input.shape[0]).ToList();
        var steps = stack(rows.Select(row => Run(_before, input[row].t())), 1); // [T, B, channels]
        var remembered = _memory!.Forward(steps);
        return stack(rows.Select(row => Run(_after, remembered.select(1, row)).t())).MoveToOuterDisposeScope();
    }

    private static Tensor Forward(List<CodecLayer> layers, Tensor input)
    {
        foreach (var layer in layers)
        {
            using var scope = NewDisposeScope();
            input = layer.Forward(input).MoveToOuterDisposeScope();
        }

        return input;
    }

    /// <summary>[T, channels] to [T, channels], perhaps with other channels and another length.</summary>
    private static Tensor Run(List<CodecLayer> layers, Tensor input)
    {
        using var scope = NewDisposeScope();
        var forms = RowForms.Of(input, layers[0].Demand((int)input.shape[0]));
        foreach (var (index, layer) in layers.Index())
        {
            var steps = layer.StepsOf(forms.Steps);
            var demand = index + 1 < layers.Count ? layers[index + 1].Demand(steps)
                : new RowDemand(Plain: true, Activated: false, default);
            var output = new RowForms(steps, layer.OutputChannels, demand, layer.Overhang);
            layer.Run(forms, output);
            forms.Dispose();
            forms = output;
        }

        var copy = forms.Plain!.View().clone();
        forms.Dispose();
        return copy.MoveToOuterDisposeScope();
    }

    private void AddResidualUnits(int channels)
    {
        var dilation = 1;
        for (var unit = 0; unit < _configuration.ResidualUnits; unit++, dilation *= _configuration.DilationGrowth)
        {
            var spacing = dilation;
            Add((place, _) => new ResidualUnit(place, _configuration, channels, spacing), activates: false);
        }
    }

    private void AddMemory(int channels)
    {
        var place = NextPlace();
        _memory = new RecurrentLayer(_weights.Scope(place), channels, _configuration.RecurrentLayers);
        ModuleNode.Add(this, place, _memory);
    }

    /// <param name="make">Makes the layer of its scope, and of the next parameter.</param>
    /// <param name="activates">Whether the layer begins with an exponential linear unit, which has a place of its own in
    /// checkpoints.</param>
    private void Add(Func<WeightScope, bool, CodecLayer> make, bool activates = true)
    {
        if (activates)
            NextPlace();
        var place = NextPlace();
        var layer = make(_weights.Scope(place), activates);
        ModuleNode.Add(this, place, layer);
        (_memory is null ? _before : _after).Add(layer);
    }

    private string NextPlace() => "layers." + (_places++).ToString(CultureInfo.InvariantCulture);
}
