using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Layers.Frozen;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Training.Optimizers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>The memory that the training of a transformer takes, read from its description; and with which options it takes less.</summary>
/// <remarks>
/// Weights, gradients and optimizer are counted; so is what autograd keeps of each block (<see cref="BlockActivations"/>). What the C
/// library's heap makes of it is not: two factors, which measurements gave, stand for it.
/// </remarks>
internal sealed record LanguageMemory
{
    /// <summary>The rank of the adapters that a remedy proposes.</summary>
    private const int ProposedRank = 8;

    /// <summary>The shortest rows that a remedy proposes.</summary>
    private const int ShortestLength = 32;

    /// <summary>How much larger activations are in the heap than their tensors, for its gaps.</summary>
    private const double Gaps = 1.15;

    /// <summary>
    /// The share that gradients find again of the memory of activations that the backward pass frees, or the other way round. Where blocks
    /// are computed twice, little is free before the gradients are there.
    /// </summary>
    private const double Reuse = 0.5;

    private readonly TransformerNetwork _network;
    private readonly LanguageTrainingOptions _options;
    private readonly LanguageShape _shape;
    private readonly TrainedParts _parts;

    public LanguageMemory(TransformerNetwork network, LanguageTrainingOptions options, LanguageShape shape)
        : this(
            network,
            TrainingComputation.Of(options with { Collective = null }, network.Device, () => LargestProducts.Of(network)).Fix(options),
            shape, TrainedParts.Of(network))
    {
    }

    private LanguageMemory(TransformerNetwork network, LanguageTrainingOptions options, LanguageShape shape, TrainedParts parts) =>
        (_network, _options, _shape, _parts) = (network, options, shape, parts);

    private int StreamSize => NativeTensor.ElementSize(_network.DataType);

    private ScalarType ProductType => _options.Precision.ComputeType() ?? _network.DataType;

    private int ProductSize => NativeTensor.ElementSize(ProductType);

    private bool IsMixed => ProductType != _network.DataType;

    public MemoryEstimate Estimate()
    {
        var product = ProductSize;
        var runtime = ProcessMemory.Runtime(_network.Device.type == TorchSharp.DeviceType.META ? 0 : _parts.Bytes);
        var optimizer = (OptimizerFactory.StateNumbers(_options, _parts.Trained, _parts.TrainedLinears)
            + (_options.WeightAverageDecay > 0 ? _parts.Trained : 0)) * sizeof(float);
        var frozen = Frozen();
        var weights = _parts.Bytes + (IsMixed ? _parts.TrainedMatrices * product : 0) + frozen.Kept - frozen.Waiting;
        var gradients = Gradients();
        var activations = (long)(Math.Max(TrainingPass(), EvaluationPass()) * Gaps);
        if (!_options.GradientCheckpointing)
            activations -= (long)(Reuse * Math.Min(activations, gradients));

        // Frozen weights that are not of a file are in memory as they are before they wait in one.
        var loaded = _parts.Bytes - (IsOfFile ? frozen.Waiting : 0);
        return new MemoryEstimate
        {
            Weights = weights + Math.Max(0, loaded - weights - gradients - activations),
            Gradients = gradients,
            Optimizer = optimizer,
            Activations = activations,
            Runtime = runtime,
        };
    }

    /// <summary>
    /// Whether weights in another type than the network's are those of a mapped file: a format for frozen matrices leaves them there.
    /// </summary>
    private bool IsOfFile => _options.FrozenFormat is not null && (_network.Device.type == TorchSharp.DeviceType.META
        || _network.Device.type == TorchSharp.DeviceType.CPU && MappedFile.IsMapped(_network.TokenEmbedding));

    /// <summary>The bytes of what is computed with in place of frozen weights, and of the weights themselves, which wait in a
    /// file.</summary>
    private (long Kept, long Waiting) Frozen()
    {
        if (_options.FrozenFormat is not { } format)
        {
            var (elements, bytes) = IsMixed ? _parts.Converted(ProductType) : default;
            return (elements * ProductSize, bytes);
        }

        var (layers, heads, waiting) = _parts.Frozen();
        return ((long)(layers * FrozenMatrix.BitsOf(format) + heads * FrozenMatrix.BitsOf(FrozenFormat.Int8)) / 8, waiting);
    }

    /// <summary>Changes of options, those first that change least of what is learned; the last one is all of them together.</summary>
    /// <param name="limit">What is there, in bytes.</param>
    public IReadOnlyList<MemoryRemedy> Remedies(long limit)
    {
        var changes = new List<(string Text, Func<LanguageMemory, LanguageMemory> Apply)>();
        if (Smaller(_shape.Rows, 1, limit, WithRows) is { } rows)
        {
            var (size, passes) = (nameof(TrainingOptions.BatchSize), nameof(EpochTrainingOptions.GradientAccumulationSteps));
            changes.Add(($"{size} = {rows} with {passes} = {WithRows(rows)._options.GradientAccumulationSteps}", m => m.WithRows(rows)));
        }

        if (!_options.GradientCheckpointing)
        {
            changes.Add(($"{nameof(LanguageTrainingOptions.GradientCheckpointing)} = true", m =>
                m.With(m._options with { GradientCheckpointing = true })));
        }

        if (ProductType == ScalarType.Float32)
        {
            changes.Add(($"{nameof(Precision)} = {nameof(Precision)}.{Precision.BFloat16}", m =>
                m.With(m._options with { Precision = Precision.BFloat16 })));
        }

        if (TrainedParts.WithAdapters(_network, new LoraOptions { Rank = ProposedRank }) is { } adapters)
            changes.Add(($"LoRA of rank {ProposedRank}", m => new LanguageMemory(m._network, m._options, m._shape, adapters)));
        if (Smaller(_shape.Length, ShortestLength, limit, WithLength) is { } length)
            changes.Add(($"rows of {length} tokens", m => m.WithLength(length)));
        return
        [
            .. changes.Select(change => new MemoryRemedy(change.Text, change.Apply(this).Estimate())),
            new MemoryRemedy("all of these together", changes.Aggregate(this, (memory, change) => change.Apply(memory)).Estimate()),
        ];
    }

    /// <summary>The largest half, quarter... of a size that is enough, else the smallest; null where there is none.</summary>
    private static int? Smaller(int size, int smallest, long limit, Func<int, LanguageMemory> with)
    {
        int? found = null;
        for (var smaller = size / 2; smaller >= smallest; smaller /= 2)
        {
            found = smaller;
            if (with(smaller).Estimate().Total <= limit)
                break;
        }

        return found;
    }

    private LanguageMemory With(LanguageTrainingOptions options) => new(_network, options, _shape, _parts);

    /// <summary>As many rows a step, in more and smaller passes.</summary>
    private LanguageMemory WithRows(int rows)
    {
        var perStep = (long)_shape.Rows * _options.GradientAccumulationSteps;
        var options = _options with { BatchSize = rows, GradientAccumulationSteps = (int)((perStep + rows - 1) / rows) };
        return new(_network, options, _shape with { Rows = rows }, _parts);
    }

    private LanguageMemory WithLength(int length)
    {
        var shape = _shape with { Length = length, EvaluationLength = Math.Min(length, _shape.EvaluationLength) };
        return new(_network, _options, shape, _parts);
    }

    /// <summary>
    /// Those of products are of their type until the optimizer reads them, or until they are added up; the output head's are not.
    /// </summary>
    private long Gradients()
    {
        var passing = IsMixed ? _parts.TrainedLinears : 0;
        return _options.GradientAccumulationSteps > 1
            ? _parts.Trained * StreamSize + passing * ProductSize
            : (_parts.Trained - passing) * StreamSize + passing * ProductSize;
    }

    private long TrainingPass()
    {
        var blocks = Blocks(_shape.Length, _shape.EncoderLength).ToList();
        var graph = blocks.Skip(_parts.BlocksWithoutGraph()).ToList();
        var passing = blocks.Max(block => block.Length * block.Activations.Passing());
        var kept = _options.GradientCheckpointing
            ? blocks.Sum(block => block.Length * block.Width * StreamSize)
                + graph.Select(block => block.Length * block.Activations.Kept()).DefaultIfEmpty().Max()
            : graph.Sum(block => block.Length * block.Activations.Kept());
        return _shape.Sequences * (kept + passing) + Converted() + Biases(Math.Max(_shape.Length, _shape.EncoderLength))
            + Head(_shape.Sequences * _shape.Length);
    }

    /// <summary>
    /// What matrices in a narrower type than that of products become: those of a block until its backward pass has been, and a part of the
    /// output head's.
    /// </summary>
    private long Converted()
    {
        if (_options.FrozenFormat is not null)
            return FrozenProduct.PartElements * ProductSize;
        if (IsMixed)
            return 0;
        var blocks = _network.BlockPrefixes.Select(_parts.Narrow).ToList();
        var narrow = _options.GradientCheckpointing ? blocks.Max() : blocks.Skip(_parts.BlocksWithoutGraph()).Append(blocks.Max()).Sum();
        var hasNarrowHead = _network.Output.Heads is [var head, ..] && head.Weight.dtype != _network.DataType;
        return Math.Max(narrow, hasNarrowHead ? WideProduct.PartElements : 0) * StreamSize;
    }

    /// <summary>Without a graph: one block at a time.</summary>
    private long EvaluationPass()
    {
        var passing = Blocks(_shape.EvaluationLength, _shape.EvaluationEncoderLength)
            .Max(block => block.Length * block.Activations.Passing());
        return _shape.EvaluationSequences * passing + Biases(Math.Max(_shape.EvaluationLength, _shape.EvaluationEncoderLength))
            + Head(_shape.EvaluationSequences * _shape.EvaluationLength);
    }

    /// <summary>The blocks of all stacks, with the tokens of a row that each reads.</summary>
    /// <param name="length">What the stack that makes logits reads.</param>
    /// <param name="encoderLength">What an encoder beside it reads.</param>
    private IEnumerable<(long Length, int Width, BlockActivations Activations)> Blocks(int length, int encoderLength)
    {
        foreach (var stack in _network.Description.Stacks)
        {
            var own = ReferenceEquals(stack, _network.Description.Output) ? length : encoderLength;
            foreach (var block in stack.Blocks)
                yield return (own, stack.Width, Activations(block, stack, own));
        }
    }

    private BlockActivations Activations(Block block, Stack stack, int length) => new(
        block, stack.Width, StreamSize, ProductSize, _network.Dropout, length, _shape.IsPacked || block.Self.Window < length,
        _parts.KeepsInput);

    /// <summary>Tables of biases by distance, [heads, length, length], and what they become together with the mask.</summary>
    private long Biases(int length) => _network.Description.Stacks.Sum(stack =>
        stack.Blocks.Where(block => block.Self.Bias is not null).Select(block => (long)block.Self.Heads).DefaultIfEmpty().Max())
        * length * length * 2 * sizeof(float);

    /// <summary>Embeddings, what the head reads, the gradients of both, and the logits that are held at once.</summary>
    private long Head(long tokens)
    {
        var output = _network.Description.Output;
        var logits = LanguageModelLoss.LongestChunk(_network.VocabularySize, ProductType, tokens) * _network.VocabularySize * ProductSize;
        var caps = output.Heads is [{ SoftCap: not null }, ..] ? logits : 0;
        return tokens * output.Width * (5 * StreamSize + ProductSize) + logits + caps;
    }
}
