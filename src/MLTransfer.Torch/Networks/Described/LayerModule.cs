using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>A layer with its weights, for inputs of one shape.</summary>
internal sealed class LayerModule : nn.Module<Tensor, Tensor>
{
    private readonly Dictionary<string, Tensor> _weights = [];

    public LayerModule(Layer layer, string layerName, LayerPlace place, WeightScope weights) : base(layer.GetType().Name)
    {
        (Layer, LayerName) = (layer, layerName);
        (InputShape, OutputShape) = (place.Shape, layer.OutputShape(place));
        foreach (var weight in layer.Weights(InputShape))
        {
            var parameter = weights.Take(weight.Name, weight.Initialization, weight.Shape);
            if (weight.IsTrainable)
            {
                register_parameter(weight.Name, parameter);
                _weights.Add(weight.Name, parameter);
            }
            else
            {
                using (parameter)
                {
                    var statistics = parameter.detach().DetachFromDisposeScope();
                    register_buffer(weight.Name, statistics);
                    _weights.Add(weight.Name, statistics);
                }
            }
        }
    }

    public Layer Layer { get; }

    /// <summary>The name before the names of the weights.</summary>
    public string LayerName { get; }

    /// <summary>Without the batch.</summary>
    public long[] InputShape { get; }

    /// <summary>Without the batch.</summary>
    public long[] OutputShape { get; }

    /// <summary>The weights by their names in the layer.</summary>
    public IReadOnlyDictionary<string, Tensor> Weights => _weights;

    /// <summary>Where dropout draws from.</summary>
    public DropoutSource DropoutSource { get; set; } = new();

    /// <summary>[batch, input shape] to [batch, output shape].</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return ActivationFunction.Apply(Layer.FinalActivation, ComputeWithoutActivation(input), Layer.FinalSlope)
            .MoveToOuterDisposeScope();
    }

    /// <summary>What <see cref="forward"/> applies the layer's activation to.</summary>
    public Tensor ComputeWithoutActivation(Tensor input) => Layer.Compute(input, _weights, new LayerPass(training, DropoutSource));

    protected override void RegisterComponents()
    {
        // The constructor does.
    }
}
