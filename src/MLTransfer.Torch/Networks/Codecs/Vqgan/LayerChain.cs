using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>Layers one after the other, each under its name; at the end normalization, swish and a last convolution.</summary>
/// <param name="weights">The chain's.</param>
/// <param name="configuration">Of the codec.</param>
internal abstract class LayerChain(WeightScope weights, VqganConfiguration configuration)
    : nn.Module<Tensor, Tensor>(nameof(LayerChain))
{
    private readonly List<nn.Module<Tensor, Tensor>> _layers = [];
    private readonly List<string> _names = [];

    /// <summary>The names of the layers, in the order of computation.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>[B, inputs, H, W] to [B, outputs, H', W'].</summary>
    public override Tensor forward(Tensor input)
    {
        var x = input.alias();
        foreach (var layer in _layers)
        {
            using var scope = NewDisposeScope();
            using var old = x;
            x = layer.call(layer == _layers[^1] ? F.silu(x) : x).MoveToOuterDisposeScope();
        }

        return x;
    }

    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }

    protected void AddConvolution(string name, int inputs, int outputs) =>
        Add(name, at => new ImageConvolution(at, inputs, outputs, kernel: 3, padding: 1));

    /// <summary>The blocks of the lowest resolution.</summary>
    protected void AddMiddle(int channels)
    {
        AddResidual("mid.block_1", channels, channels);
        Add("mid.attn_1", at => new AttentionBlock(at, configuration, channels));
        AddResidual("mid.block_2", channels, channels);
    }

    /// <summary>Residual blocks of a resolution, with attention behind each where the configuration says so.</summary>
    protected void AddLevel(string name, int blocks, int inputs, int outputs, int resolution)
    {
        for (var block = 0; block < blocks; block++)
        {
            AddResidual($"{name}.block.{block}", block == 0 ? inputs : outputs, outputs);
            if (configuration.Attends(resolution))
                Add($"{name}.attn.{block}", at => new AttentionBlock(at, configuration, outputs));
        }
    }

    protected void AddEnd(int channels, int outputs)
    {
        Add("norm_out", at => new GroupNormalization(at, channels, configuration.Epsilon));
        AddConvolution("conv_out", channels, outputs);
    }

    protected void Add(string name, Func<WeightScope, nn.Module<Tensor, Tensor>> create)
    {
        var layer = create(weights.Scope(name));
        ModuleNode.Add(this, name, layer);
        _layers.Add(layer);
        _names.Add(name);
    }

    private void AddResidual(string name, int inputs, int outputs) =>
        Add(name, at => new ResidualBlock(at, configuration, inputs, outputs));
}
