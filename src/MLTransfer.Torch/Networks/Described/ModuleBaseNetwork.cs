using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Described;

/// <summary>A TorchSharp module as the pretrained network: described layers, TorchScript, or a class of the user's own.</summary>
public sealed class ModuleBaseNetwork : BaseNetwork
{
    private readonly Func<Tensor, Tensor> _compute;
    private readonly IReadOnlyList<nn.Module> _parts;

    /// <summary>Takes a module over; <see cref="Dispose"/> disposes it.</summary>
    /// <param name="module">Takes and gives [batch, ...] in float32. In inference it must not change its state: several threads may use
    /// it.</param>
    /// <param name="description">What error messages call it.</param>
    /// <exception cref="NotSupportedException">A parameter is not float32 on the CPU.</exception>
    public ModuleBaseNetwork(nn.Module<Tensor, Tensor> module, string description)
        : this(module ?? throw new ArgumentNullException(nameof(module)), module.call, description)
    {
    }

    /// <summary>For TorchScript, whose modules are of another class.</summary>
    internal ModuleBaseNetwork(nn.Module module, Func<Tensor, Tensor> compute, string description) : base(description)
    {
        (Module, _compute) = (module, compute);
        Parameters = [.. module.named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter))];
        Buffers = [.. module.named_buffers().Select(b => KeyValuePair.Create(b.name, b.buffer))];
        _parts = [module, .. module.modules()];
        foreach (var (name, parameter) in Parameters)
        {
            if (parameter.dtype != ScalarType.Float32 || parameter.device_type != TorchSharp.DeviceType.CPU)
            {
                throw new NotSupportedException(
                    $"{description}: parameter '{name}' is {parameter.dtype} on {parameter.device}; only Float32 on the CPU is supported.");
            }
        }

        module.eval();
    }

    /// <summary>The module.</summary>
    public nn.Module Module { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<long>? InputShape => (Module as LayerSequence)?.InputShape;

    /// <summary>The TorchScript file that the module is; null for other modules.</summary>
    internal byte[]? Program { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, Tensor>> Parameters { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<KeyValuePair<string, Tensor>> Buffers { get; }

    internal override DropoutSource DropoutSource
    {
        get => base.DropoutSource;
        set
        {
            base.DropoutSource = value;
            if (Module is LayerSequence layers)
                layers.DropoutSource = value;
        }
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input) => Module is not LayerSequence && Module.training
        && DropoutSource.Generator is { } generator
        ? ProcessGenerator.Lend(generator, () => _compute(input)) // it may draw, from what only libtorch knows
        : _compute(input);

    /// <inheritdoc/>
    public override void Dispose() => Module.Dispose();

    // Layers know their shape: nothing need be computed, however large a damaged file says that they are.
    internal override long[] FindOutputShape(IReadOnlyList<long> inputShape) =>
        Module is LayerSequence layers && layers.InputShape.SequenceEqual(inputShape) ? [.. layers.OutputShape]
            : base.FindOutputShape(inputShape);

    internal override void SetTraining(bool training)
    {
        Module.train(training && IsTrainable);
        if (!Module.training)
            return;
        foreach (var part in _parts)
        {
            var own = part.named_parameters(recurse: false).ToList();
            if (own.Count > 0 && own.TrueForAll(p => !p.parameter.requires_grad))
                part.eval();
        }
    }

    /// <summary>Copies stored values into the module.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or of another shape; the message names it.</exception>
    internal void LoadWeights(Checkpoint checkpoint)
    {
        using var gradients = no_grad();
        foreach (var (name, target) in Parameters.Concat(Buffers))
        {
            using var scope = NewDisposeScope();
            if (!checkpoint.Tensors.TryGetValue(name, out var info))
            {
                if (name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
                    continue; // a counter that changes nothing, and that some writers leave out
                throw new InvalidDataException($"{checkpoint.Location} has no tensor '{name}', which {Description} needs.");
            }

            if (!info.Shape.SequenceEqual(target.shape))
            {
                throw new InvalidDataException(
                    $"{checkpoint.Location}: tensor '{name}' has shape {TensorShape.Describe(info.Shape)}; {Description} has "
                    + $"{TensorShape.Describe(target.shape)}.");
            }

            target.copy_(checkpoint.Read(name));
        }
    }
}
