using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Numerics;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>How a parameter starts when a model is made without a checkpoint.</summary>
internal readonly record struct Initialization
{
    private Initialization(double constant, double standardDeviation, double bound = 0)
    {
        Constant = constant;
        StandardDeviation = standardDeviation;
        Bound = bound;
    }

    /// <summary>The value of every element where nothing is drawn, else the mean.</summary>
    public double Constant { get; }

    /// <summary>The standard deviation of the normal distribution that elements are drawn from.</summary>
    public double StandardDeviation { get; }

    /// <summary>How far from 0 elements are that are drawn uniformly; 0 where they are not.</summary>
    public double Bound { get; }

    /// <summary>All zeros.</summary>
    public static Initialization Zeros => new(0, 0);

    /// <summary>All ones.</summary>
    public static Initialization Ones => new(1, 0);

    /// <summary>One number for all elements.</summary>
    public static Initialization Of(double constant) => new(constant, 0);

    /// <summary>Drawn from a normal distribution with mean 0.</summary>
    public static Initialization Normal(double standardDeviation) => new(0, standardDeviation);

    /// <summary>Drawn uniformly from -bound to bound.</summary>
    public static Initialization Uniform(double bound) => new(0, 0, bound);
}

/// <summary>Where a model's constructor takes its parameters from: a checkpoint, or an initialization.</summary>
/// <remarks>Taking parameters at construction means that no weight is first drawn at random and then overwritten.</remarks>
internal abstract class WeightSource
{
    /// <summary>Takes the parameter of a full name such as <c>transformer.h.0.attn.c_attn.weight</c>.</summary>
    /// <param name="name">The parameter's name as Hugging Face writes it.</param>
    /// <param name="initialization">How it starts where there is no checkpoint.</param>
    /// <param name="shape">The shape that the model expects.</param>
    /// <exception cref="InvalidDataException">The checkpoint lacks the parameter or has another shape for it.</exception>
    public abstract Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape);

    /// <summary>Takes the weight of matrix products, or a table: as <see cref="Take"/>, perhaps in the narrower type that it is stored
    /// in.</summary>
    public virtual Parameter TakeMatrix(string name, Initialization initialization, params ReadOnlySpan<long> shape) =>
        Take(name, initialization, shape);

    /// <summary>The type of parameters, but for matrices that are kept as they are stored.</summary>
    public abstract ScalarType DataType { get; }

    /// <summary>Whether parameters are new, not from a checkpoint.</summary>
    public abstract bool IsNew { get; }

    /// <summary>Whether the source can give this parameter: a checkpoint may lack it, an initialization has all.</summary>
    public abstract bool Contains(string name);

    /// <summary>Parameters from a checkpoint.</summary>
    /// <param name="checkpoint">The named tensors.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="find">Tells what the checkpoint calls a parameter, or null where it has none; null for the parameter's own
    /// name.</param>
    /// <param name="dataType">The type that parameters are converted to. A checkpoint that has it already is used without a copy.</param>
    /// <param name="device">Where parameters go.</param>
    /// <param name="keepsMatrices">Whether matrices that are stored in bfloat16 or float16 stay so.</param>
    public static WeightSource FromCheckpoint(
        Checkpoint checkpoint, string origin, Func<string, string?>? find, ScalarType dataType, Device device,
        bool keepsMatrices = false) => new CheckpointWeightSource(
            checkpoint, origin, find ?? (name => checkpoint.Tensors.ContainsKey(name) ? name : null), dataType, device, keepsMatrices);

    /// <summary>New parameters.</summary>
    /// <param name="dataType">Their type.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="generator">What they are drawn with; null for libtorch's own generator.</param>
    public static WeightSource Initialized(ScalarType dataType, Device device, Generator? generator = null) =>
        new InitializedWeightSource(dataType, device, generator);

    /// <summary>The same source, with every name put behind a prefix and a dot.</summary>
    public WeightScope Scope(string prefix) => new(this, prefix);

    private sealed class CheckpointWeightSource(
        Checkpoint checkpoint, string origin, Func<string, string?> find, ScalarType dataType, Device device, bool keepsMatrices)
        : WeightSource
    {
        public override bool IsNew => false;

        public override ScalarType DataType => dataType;

        public override bool Contains(string name) => find(name) is not null;

        public override Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape) =>
            Read(name, shape, dataType);

        public override Parameter TakeMatrix(string name, Initialization initialization, params ReadOnlySpan<long> shape) => Read(
            name, shape, keepsMatrices && find(name) is { } stored && checkpoint.Tensors[stored].DataType is var type
                && type is ScalarType.BFloat16 or ScalarType.Float16 ? type : dataType);

        private Parameter Read(string name, ReadOnlySpan<long> shape, ScalarType type)
        {
            var stored = find(name) ?? throw new InvalidDataException(
                $"{origin} has no tensor '{name}'. It is not a complete checkpoint of the architecture that its config.json names.");
            var found = checkpoint.Tensors[stored].Shape;
            if (!found.SequenceEqual(shape.ToArray()))
            {
                throw new InvalidDataException(
                    $"{origin}: tensor '{stored}' has shape [{string.Join(", ", found)}], but config.json asks for "
                        + $"[{string.Join(", ", shape.ToArray())}].");
            }

            if (device.type == TorchSharp.DeviceType.META)
                return new Parameter(empty(shape.ToArray(), type, device).DetachFromDisposeScope(), requires_grad: true);
            var tensor = checkpoint.Read(stored).DetachFromDisposeScope();
            if (tensor.dtype != type || tensor.device_type != device.type)
            {
                using var narrow = tensor;
                tensor = narrow.to(type, device).DetachFromDisposeScope();
                checkpoint.ReleaseMemory(stored);
            }

            return new Parameter(tensor, requires_grad: true);
        }
    }

    private sealed class InitializedWeightSource(ScalarType dataType, Device device, Generator? generator) : WeightSource
    {
        public override bool IsNew => true;

        public override ScalarType DataType => dataType;

        public override bool Contains(string name) => true;

        public override Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape)
        {
            using var gradients = no_grad();
            var tensor = initialization switch
            {
                { StandardDeviation: > 0 } => SeededTensors.Filled(shape, dataType, device, generator, weights =>
                    weights.normal_(initialization.Constant, initialization.StandardDeviation, generator)),
                { Bound: > 0 } => SeededTensors.Filled(shape, dataType, device, generator, weights =>
                    weights.uniform_(-initialization.Bound, initialization.Bound, generator)),
                _ => full(shape.ToArray(), initialization.Constant, dataType, device),
            };
            return new Parameter(tensor.DetachFromDisposeScope(), requires_grad: true);
        }
    }
}

/// <summary>A <see cref="WeightSource"/> seen from inside a module: names are relative to it.</summary>
internal readonly struct WeightScope(WeightSource source, string prefix)
{
    /// <summary>What stands before the dot.</summary>
    public string Prefix => prefix;

    /// <summary>Whether parameters are new, not from a checkpoint.</summary>
    public bool IsNew => source.IsNew;

    /// <summary>See <see cref="WeightSource.DataType"/>.</summary>
    public ScalarType DataType => source.DataType;

    /// <summary>Whether the source can give <c>prefix.name</c>; see <see cref="WeightSource.Contains"/>.</summary>
    public bool Contains(string name) => source.Contains($"{prefix}.{name}");

    /// <summary>Takes <c>prefix.name</c>.</summary>
    public Parameter Take(string name, Initialization initialization, params ReadOnlySpan<long> shape) =>
        source.Take($"{prefix}.{name}", initialization, shape);

    /// <summary>Takes <c>prefix.name</c>; see <see cref="WeightSource.TakeMatrix"/>.</summary>
    public Parameter TakeMatrix(string name, Initialization initialization, params ReadOnlySpan<long> shape) =>
        source.TakeMatrix($"{prefix}.{name}", initialization, shape);

    /// <summary>The scope of a child module.</summary>
    public WeightScope Scope(string child) => new(source, $"{prefix}.{child}");
}
