using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>
/// Layers one after the other. The parameters have the names <c>layer.weight</c>, <c>layer.bias</c>, as in PyTorch's <c>Sequential</c>.
/// </summary>
public sealed class LayerSequence : nn.Module<Tensor, Tensor>
{
    private const long MaximumElements = int.MaxValue;

    private readonly List<LayerModule> _layers = [];

    private LayerSequence(IReadOnlyList<Placed> places, WeightSource weights) : base(nameof(LayerSequence))
    {
        foreach (var placed in places)
        {
            var module = new LayerModule(placed.Layer, placed.Name, placed.Place, weights.Scope(placed.Name));
            ModuleNode.Add(this, placed.Name, module);
            _layers.Add(module);
        }
    }

    /// <summary>The shape of an input without the batch.</summary>
    public IReadOnlyList<long> InputShape { get; private init; } = [];

    /// <summary>The shape of an output without the batch.</summary>
    public IReadOnlyList<long> OutputShape { get; private init; } = [];

    internal IReadOnlyList<LayerModule> Layers => _layers;

    /// <summary>Where the layers' dropout draws from.</summary>
    internal DropoutSource DropoutSource
    {
        set
        {
            foreach (var layer in _layers)
                layer.DropoutSource = value;
        }
    }

    /// <summary>What the last layer applies at its end.</summary>
    internal Activation FinalActivation => _layers.Count == 0 ? Activation.None : _layers[^1].Layer.FinalActivation;

    /// <summary>Makes layers with new weights.</summary>
    /// <param name="layers">The layers in the order of computation.</param>
    /// <param name="inputShape">The extents of an input without the batch.</param>
    /// <param name="inputOrigin">What the input comes from, for error messages.</param>
    /// <param name="generator">What weights are drawn with; null for libtorch's own generator.</param>
    /// <exception cref="ArgumentException">A layer cannot take what the one before it gives; the message names both shapes.</exception>
    public static LayerSequence Create(
        IReadOnlyList<Layer> layers, IReadOnlyList<long> inputShape, string inputOrigin = "the input", Generator? generator = null)
    {
        var (places, outputShape) = Place(layers, inputShape, inputOrigin);
        var weights = WeightSource.Initialized(ScalarType.Float32, CPU, generator);
        return new LayerSequence(places, weights) { InputShape = [.. inputShape], OutputShape = outputShape };
    }

    /// <summary>Makes layers with stored weights.</summary>
    /// <param name="layers">The layers in the order of computation.</param>
    /// <param name="inputShape">The extents of an input without the batch.</param>
    /// <param name="checkpoint">Holds the weights under the names that this class gives them.</param>
    /// <param name="inputOrigin">What the input comes from, for error messages.</param>
    /// <param name="prefix">
    /// What stands before all names in the checkpoint, such as <c>main</c> where they are <c>main.0.weight</c>; null for nothing.
    /// </param>
    /// <exception cref="ArgumentException">A layer cannot take what the one before it gives; the message names both shapes.</exception>
    /// <exception cref="InvalidDataException">
    /// A weight is missing or of another shape, or a layer has one that its description does not tell of; the message lists them all.
    /// </exception>
    public static LayerSequence Load(
        IReadOnlyList<Layer> layers, IReadOnlyList<long> inputShape, Checkpoint checkpoint, string inputOrigin = "the input",
        string? prefix = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        var (places, outputShape) = Place(layers, inputShape, inputOrigin);
        // Before memory is taken for a weight whose size only the description claims.
        StoredLayers.Check(checkpoint, prefix, [.. places.Select(placed => (placed.Name, placed.Layer, placed.Place))]);
        var before = StoredLayers.Before(prefix);
        var weights = WeightSource.FromCheckpoint(checkpoint, checkpoint.Location, name => before + name, ScalarType.Float32, CPU);
        return new LayerSequence(places, weights) { InputShape = [.. inputShape], OutputShape = outputShape };
    }

    /// <summary>[batch, input shape] to [batch, output shape].</summary>
    public override Tensor forward(Tensor input) => Compute(input, withoutFinalActivation: false);

    /// <summary>As <see cref="forward"/>, where wanted without the last layer's activation.</summary>
    internal Tensor Compute(Tensor input, bool withoutFinalActivation)
    {
        using var scope = NewDisposeScope();
        var values = input.alias();
        for (var i = 0; i < _layers.Count; i++)
        {
            values = withoutFinalActivation && i == _layers.Count - 1
                ? _layers[i].ComputeWithoutActivation(values)
                : _layers[i].forward(values);
        }

        return values.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // The constructor does.
    }

    private static (List<Placed> Places, long[] OutputShape) Place(
        IReadOnlyList<Layer> layers, IReadOnlyList<long> inputShape, string inputOrigin)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(inputShape);
        var places = new List<Placed>();
        var names = new HashSet<string>();
        var (shape, before) = (CheckShape([.. inputShape], inputOrigin), inputOrigin);
        for (var i = 0; i < layers.Count; i++)
        {
            var layer = layers[i] ?? throw new ArgumentException($"Layer {i} is null.", nameof(layers));
            var name = layer.Name ?? $"{i}";
            var description = $"layer {i} ({layer.GetType().Name.Replace("Layer", "", StringComparison.Ordinal)})";
            if (name.Split('.').Contains("") || !names.Add(name))
                throw new ArgumentException(
                    $"The name '{name}' of {description} must be unique, not empty and without an empty part.", nameof(layers));
            try
            {
                layer.Check();
            }
            catch (ArgumentException exception)
            {
                throw new ArgumentException($"L{description[1..]}: {exception.Message}", nameof(layers), exception);
            }

            var place = new LayerPlace(description, before, shape);
            places.Add(new Placed(layer, name, place));
            try
            {
                (shape, before) = (CheckShape(layer.OutputShape(place), description), description);
            }
            catch (OverflowException)
            {
                throw new ArgumentException($"The output of {description} is larger than memory can be.", nameof(layers));
            }
        }

        // What lies in a layer would look like one of its weights.
        foreach (var name in names)
        {
            for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1))
            {
                if (names.Contains(name[..dot]))
                    throw new ArgumentException($"The name '{name}' lies in that of the layer '{name[..dot]}'.", nameof(layers));
            }
        }

        return (places, shape);
    }

    private static long[] CheckShape(long[] shape, string origin) =>
        shape.Length > 0 && shape.All(extent => extent > 0) && TensorShape.TryGetByteCount(shape, 1, out var count)
            && count <= MaximumElements
            ? shape
            : throw new ArgumentException(
                $"The shape {TensorShape.Describe(shape)} that {origin} gives is not usable: expected positive extents with at most "
                + $"{MaximumElements} elements.");

    private sealed record Placed(Layer Layer, string Name, LayerPlace Place);
}
