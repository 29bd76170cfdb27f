using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>A pretrained network with new layers on it.</summary>
/// <remarks>
/// In inference, which is the state between trainings, several threads may use it at once. It may be disposed at any time: calls under way
/// go on, training among them, and the weights are freed when the last of them has ended.
/// </remarks>
public sealed class TransferNetwork : IDisposable
{
    private readonly UseCount _uses = new();

    private TransferNetwork(BaseNetwork? pretrained, IReadOnlyList<long> inputShape, LayerSequence newLayers)
    {
        (Pretrained, InputShape, NewLayers) = (pretrained, [.. inputShape], newLayers);
        newLayers.DropoutSource = DropoutSource;
        if (pretrained is not null)
            pretrained.DropoutSource = DropoutSource;
        newLayers.eval();
    }

    /// <summary>The pretrained network, part of this object; null where the new layers are all there is.</summary>
    public BaseNetwork? Pretrained { get; }

    /// <summary>The layers on top. They are part of this object, which is what to dispose.</summary>
    public LayerSequence NewLayers { get; }

    /// <summary>The shape of an input without the batch.</summary>
    public IReadOnlyList<long> InputShape { get; }

    /// <summary>The shape of an output without the batch.</summary>
    public IReadOnlyList<long> OutputShape => NewLayers.OutputShape;

    /// <summary>Where all dropout draws from.</summary>
    internal DropoutSource DropoutSource { get; } = new();

    /// <summary>
    /// The trained parameters by name: those of the pretrained network behind <c>base.</c>, of the new layers behind <c>new.</c>.
    /// </summary>
    internal IEnumerable<KeyValuePair<string, Tensor>> TrainableParameters =>
        (Pretrained?.Parameters ?? []).Where(p => p.Value.requires_grad).Select(p => KeyValuePair.Create("base." + p.Key, p.Value))
            .Concat(NewLayers.named_parameters().Select(p => KeyValuePair.Create("new." + p.name, (Tensor)p.parameter)));

    internal long ParameterCount =>
        (Pretrained?.Parameters ?? []).Sum(p => p.Value.numel()) + NewLayers.named_parameters().Sum(p => p.parameter.numel());

    /// <summary>All that training may change, by name as <see cref="TrainableParameters"/>.</summary>
    internal IEnumerable<KeyValuePair<string, Tensor>> State => TrainableParameters
        .Concat((Pretrained?.Buffers ?? []).Select(b => KeyValuePair.Create("base." + b.Key, b.Value)))
        .Concat(NewLayers.named_buffers().Select(b => KeyValuePair.Create("new." + b.name, b.buffer)));

    /// <summary>Puts new layers, whose weights are drawn at random, on a pretrained network.</summary>
    /// <param name="pretrained">The network, which the result owns; null for none.</param>
    /// <param name="newLayers">The layers; none to train the pretrained network itself.</param>
    /// <param name="inputShape">The extents of an input without the batch.</param>
    /// <param name="seed">Decides the new weights.</param>
    /// <exception cref="ArgumentException">
    /// The pretrained network does not take such inputs, or a layer does not take what the one before it gives; the message names both
    /// shapes.
    /// </exception>
    public static TransferNetwork Create(
        BaseNetwork? pretrained, IReadOnlyList<Layer> newLayers, IReadOnlyList<long> inputShape, long seed)
    {
        ArgumentNullException.ThrowIfNull(newLayers);
        ArgumentNullException.ThrowIfNull(inputShape);
        if (pretrained is null && newLayers.Count == 0)
            throw new ArgumentException("There is neither a pretrained network nor a new layer.", nameof(newLayers));
        var features = pretrained?.FindOutputShape(inputShape) ?? [.. inputShape];
        using var generator = new Generator((ulong)seed);
        return new TransferNetwork(pretrained, inputShape, LayerSequence.Create(newLayers, features, Origin(pretrained), generator));
    }

    /// <summary>Puts stored layers on a pretrained network again.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    /// <exception cref="InvalidDataException">A weight is missing or of another shape.</exception>
    internal static TransferNetwork Load(
        BaseNetwork? pretrained, IReadOnlyList<Layer> newLayers, IReadOnlyList<long> inputShape, Checkpoint checkpoint)
    {
        var features = pretrained?.FindOutputShape(inputShape) ?? [.. inputShape];
        return new TransferNetwork(pretrained, inputShape, LayerSequence.Load(newLayers, features, checkpoint, Origin(pretrained)));
    }

    /// <summary>Puts more new layers on the network, which becomes part of the result.</summary>
    /// <param name="layers">The layers; none for the network as it is.</param>
    /// <param name="seed">Decides their weights.</param>
    /// <exception cref="ArgumentException">A layer does not take what the one before it gives.</exception>
    internal TransferNetwork Extend(IReadOnlyList<Layer> layers, long seed)
    {
        if (layers.Count == 0)
            return this;
        using var generator = new Generator((ulong)seed);
        var all = LayerSequence.Create(
            [.. NewLayers.Layers.Select(module => module.Layer), .. layers], NewLayers.InputShape, Origin(Pretrained), generator);
        using (no_grad())
        {
            var weights = all.state_dict();
            foreach (var (name, value) in NewLayers.state_dict())
                weights[name].copy_(value);
        }

        NewLayers.Dispose();
        return new TransferNetwork(Pretrained, InputShape, all);
    }

    /// <summary>[batch, input shape] to [batch, output shape]. Belongs to the caller's dispose scope.</summary>
    public Tensor Forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var hold = Hold();
        using var scope = NewDisposeScope();
        return NewLayers.forward(Features(input)).MoveToOuterDisposeScope();
    }

    /// <summary>Computes rows without gradients.</summary>
    /// <param name="rows">How many.</param>
    /// <param name="read">Writes a row's input, row-major in the input shape.</param>
    /// <returns>[rows, output shape], row-major.</returns>
    public float[] Compute(int rows, Action<int, Span<float>> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        using var hold = Hold();
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        int[] batch = [.. Enumerable.Range(0, rows)];
        return Forward(RowTensor.Create(read, batch, InputShape)).data<float>().ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => _uses.Dispose(() =>
    {
        NewLayers.Dispose();
        Pretrained?.Dispose();
    });

    /// <summary>Begins a call that uses the weights.</summary>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    internal UseCount.Hold Hold() => _uses.Begin(GetType());

    /// <summary>What the new layers are given: the pretrained network's output.</summary>
    internal Tensor Features(Tensor input) => Pretrained?.Forward(input) ?? input.alias();

    internal void SetTraining(bool training)
    {
        NewLayers.train(training);
        Pretrained?.SetTraining(training);
    }

    private static string Origin(BaseNetwork? pretrained) => pretrained?.Description ?? "the input";
}
