using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Networks.Transformers.Families;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using Linear = MLTransfer.Torch.Layers.Linear;
using Transformer = MLTransfer.Torch.Networks.Transformers.Description.Transformer;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>A network of transformer blocks that is made from its description: a decoder, an encoder or both.</summary>
public abstract class TransformerNetwork : GenerativeNetwork
{
    private readonly HashSet<string> _tables;
    private readonly ScalarType _streamType;
    private readonly Lock _measuring = new();
    private (bool IsDone, DecodingCalibration.Choice? Choice) _ofOne, _ofSeveral;
    private long _fastSteps;

    private protected TransformerNetwork(Family family, JsonObject configuration, Transformer description, WeightSource weights)
        : base(family.ModelType, configuration)
    {
        (Family, Description, _streamType) = (family, description, weights.DataType);
        var modules = new ModuleBuilder(this, weights);
        if (description.Encoder is { } encoder)
            Encoder = new StackModule(encoder, modules);
        if (description.Decoder is { } decoder)
            Decoder = new StackModule(decoder, modules, description.Encoder?.Width);
        _tables = [.. description.Stacks.SelectMany(stack => TablesOf(stack.Input))];
        eval();
    }

    /// <summary>The number of token ids.</summary>
    public int VocabularySize => Output.Heads is [var head, ..] ? head.Rows : Description.Output.Input.Rows;

    /// <summary>The most positions that the network can see.</summary>
    public int ContextLength => Description.Output.Context;

    /// <summary>The most tokens of a training row where nobody says: the context's, or 512, as T5 was pretrained, where positions are told
    /// by distance alone, so that nothing bounds a text.</summary>
    internal int UsualRowLength
    {
        get
        {
            var context = Description.Stacks.Min(stack => stack.Context);
            return Description.Stacks.All(stack => stack.Blocks.All(block => block.Self.Bias is not null)) ? Math.Min(512, context)
                : context;
        }
    }

    /// <summary>The number of transformer blocks of the stack that makes logits.</summary>
    public int LayerCount => Description.Output.Blocks.Length;

    /// <summary>
    /// The parameter that tokens are looked up in and that, where tied, writes logits: [vocabulary, width]. Disposed where the network is
    /// quantized, as the other matrices.
    /// </summary>
    public Parameter TokenEmbedding => Output.Input.Tables[0].Weight;

    /// <summary>The weights of the output head, [vocabulary, width]; tied to <see cref="TokenEmbedding"/> in many networks.</summary>
    /// <exception cref="InvalidOperationException">The network is an encoder without a head.</exception>
    public Parameter OutputHead => Head.Weight;

    /// <summary>Whether the network makes logits: every one does but encoders without a head.</summary>
    public bool HasOutputHead => Output.Heads.Count > 0;

    /// <summary>Dropout probabilities used in training; starts as <c>config.json</c> says.</summary>
    public DropoutProbabilities Dropout
    {
        get => Output.Dropout;
        set
        {
            foreach (var stack in (StackModule?[])[Encoder, Decoder])
                stack?.Dropout = value;
        }
    }

    /// <summary>
    /// The type of parameters and of what goes through the network. Matrices that were loaded to be kept as they are stored are narrower.
    /// </summary>
    public override ScalarType DataType => IsQuantized ? ScalarType.Float32 : _streamType;

    /// <inheritdoc/>
    public override Device Device => IsQuantized ? CPU : TokenEmbedding.device;

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes => Description.BlockPrefixes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> DefaultLoraTargets => Family.LoraTargets;

    internal Family Family { get; }

    internal Transformer Description { get; }

    internal StackModule? Encoder { get; }

    internal StackModule? Decoder { get; }

    /// <summary>The stack that makes logits.</summary>
    internal StackModule Output => Decoder ?? Encoder!;

    /// <summary>What makes logits of its hidden states.</summary>
    internal HeadModule Head => Output.Heads is [var head, ..]
        ? head : throw new InvalidOperationException(
            $"This {Family.ModelType} is an encoder without an output head: it makes hidden states, no logits.");

    /// <inheritdoc/>
    internal override ScalarType? ComputeType
    {
        get => base.ComputeType;
        set
        {
            base.ComputeType = value;
            foreach (var head in Output.Heads)
                head.Converted = null;
        }
    }

    /// <inheritdoc/>
    public override bool IsEmbedding(string parameterName) => _tables.Contains(parameterName);

    /// <summary>Whether tokens are looked up in a parameter.</summary>
    internal bool IsTokenTable(Parameter parameter) =>
        ((StackModule?[])[Encoder, Decoder])
            .Any(stack => stack?.Input.Tables.Any(table => ReferenceEquals(table.Weight, parameter)) == true);

    /// <summary>The last hidden states of the stack that makes logits, as the output head reads them: [batch, length, width].</summary>
    /// <param name="input">What is read; where an encoder is read too, with what it gave for the same rows.</param>
    public abstract Tensor ComputeHiddenStates(ModelInput input);

    /// <summary>Logits of every position of the stack that makes them: [batch, length, vocabulary].</summary>
    /// <param name="input">As in <see cref="ComputeHiddenStates"/>.</param>
    /// <exception cref="InvalidOperationException">The network is an encoder without a head.</exception>
    public abstract Tensor Forward(ModelInput input);

    /// <summary>Logits from what <see cref="ComputeHiddenStates"/> gave: [..., width] to [..., vocabulary].</summary>
    /// <exception cref="InvalidOperationException">The network is an encoder without a head.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public Tensor ComputeLogits(Tensor hiddenStates)
    {
        ArgumentNullException.ThrowIfNull(hiddenStates);
        using var hold = Hold();
        return Head.Logits(hiddenStates, ComputeType);
    }

    /// <summary>
    /// What computes the products of decoding steps where weights are numbers of float32, bfloat16 or float16 in memory of the CPU;
    /// quantized weights have kernels of their own.
    /// </summary>
    public DecodingKernels DecodingKernels { get; set; }

    /// <summary>Whether products are computed with frozen matrices in few bits, for which there are no row kernels.</summary>
    internal bool HasFrozenMatrices { get; set; }

    /// <summary>How many decoding steps have gone the short way: over plain rows, without a graph of tensors.</summary>
    internal long FastSteps => Interlocked.Read(ref _fastSteps);

    /// <summary>The decoder's last hidden states, as the output head reads them: [batch, length, width].</summary>
    private protected Tensor Decode(ModelInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var hold = Hold();
        using var scope = NewDisposeScope();
        var step = training || input.SequenceIds is not null || input.InputEmbeddings is not null || input.Encoded is { Ranges: null }
            || Family.WithoutRowKernels is not null || HasFrozenMatrices || Lora is { WeightDecomposed: true } ? null
            : DecodingStep.Create(IsQuantized ? null : TokenEmbedding, input.InputIds, input.AttentionMask, input.PastKeyValues);
        if (step is not null)
        {
            Interlocked.Increment(ref _fastSteps);
            step = WithKernels(step);
        }

        var hidden = step is null ? Decoder!.Forward(input, training) : Decoder!.Step(input, step);
        return (Output.Heads is [{ ReadsHiddenStates: false } head] ? head.Features(hidden) : hidden).MoveToOuterDisposeScope();
    }

    private DecodingStep WithKernels(DecodingStep step)
    {
        var kernels = IsQuantized ? DecodingKernels.Rows : DecodingKernels;
        if (kernels == DecodingKernels.Auto)
            kernels = Measure(step.Rows, step.Threads)?.Kernels ?? DecodingKernels.Rows;
        foreach (var head in Output.Heads)
            head.Use(kernels, step.Rows);
        return step with { UsesLibtorch = kernels == DecodingKernels.Libtorch };
    }

    /// <summary>What computes steps of so many sequences, as their first does; null where nobody has to measure it.</summary>
    internal DecodingCalibration.Choice? MeasureKernels(int rows) => DecodingKernels != DecodingKernels.Auto || IsQuantized
        || Decoder is null || Family.WithoutRowKernels is not null ? null : Measure(rows, get_num_threads());

    private DecodingCalibration.Choice? Measure(int rows, int threads)
    {
        ref var measured = ref rows == 1 ? ref _ofOne : ref _ofSeveral;
        lock (_measuring)
        {
            if (!measured.IsDone)
                measured = (true, DecodingCalibration.Of(this, rows, threads));
            return measured.Choice;
        }
    }

    /// <summary>Room for the decoder's keys and values.</summary>
    /// <param name="batch">The number of sequences.</param>
    /// <param name="capacity">Positions of a sequence, padding included.</param>
    /// <exception cref="InvalidOperationException">The network has no decoder.</exception>
    public KeyValueCache CreateCache(int batch, int capacity)
    {
        var decoder = Description.Decoder
            ?? throw new InvalidOperationException($"This {Family.ModelType} is an encoder: it reads a text at once.");
        using var hold = Hold();
        return new KeyValueCache(
            [.. decoder.Blocks.Select(block => (block.Self.KeyValueHeads, block.Self.HeadWidth))],
            batch, capacity, IsQuantized ? ScalarType.BFloat16 : ComputeType ?? DataType, Device);
    }

    /// <summary>Loads a network from a folder in Hugging Face layout, or from a GGUF file, in evaluation mode.</summary>
    /// <param name="folder">
    /// Has <c>config.json</c> and weights (see <see cref="Checkpoint.Open"/>); or the path of a file <c>*.gguf</c>, whose blocks become
    /// the values that they stand for.
    /// </param>
    /// <param name="dataType">The parameters' type; float32 where null.</param>
    /// <param name="device">The CPU where null.</param>
    /// <param name="keepsMatrices">
    /// Whether matrices and tables that the file has in bfloat16 or float16 stay in that type and in the mapped file, in half the memory.
    /// They are computed with as if they were converted, and become of the network's type where they are trained.
    /// </param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The architecture is not supported.</exception>
    public static TransformerNetwork Load(
        string folder, ScalarType? dataType = null, Device? device = null, bool keepsMatrices = false)
    {
        var (configuration, checkpoint) = TransformerFiles.Open(folder);
        using var weights = checkpoint;
        return Load(configuration, checkpoint, folder, dataType, device, keepsMatrices);
    }

    /// <summary>Builds a network from a configuration and named tensors, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="checkpoint">The weights. It may be disposed after the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="dataType">The parameters' type; float32 where null.</param>
    /// <param name="device">The CPU where null.</param>
    /// <param name="keepsMatrices">As in <see cref="Load(string, ScalarType?, Device?, bool)"/>.</param>
    public static TransformerNetwork Load(
        JsonObject configuration, Checkpoint checkpoint, string origin, ScalarType? dataType = null, Device? device = null,
        bool keepsMatrices = false)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var family = FamilyRegistry.Of(configuration, origin);
        var names = new CheckpointNames(checkpoint.Tensors.Keys, family);
        var description = family.Read(new ConfigurationReader(configuration, tensors: names.Known));
        var network = Build(family, configuration, description, WeightSource.FromCheckpoint(
            checkpoint, origin, names.Find, dataType ?? ScalarType.Float32, device ?? CPU, keepsMatrices));
        try
        {
            names.RefuseLeftover(network.CheckpointTensors().Select(tensor => tensor.Key), description.Unused, origin);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Builds a network with new weights, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="dataType">The parameters' type; float32 where null.</param>
    /// <param name="device">The CPU where null.</param>
    /// <param name="seed">Decides on the weights; null draws them from libtorch's generator (see <c>torch.manual_seed</c>).</param>
    public static TransformerNetwork Create(
        JsonObject configuration, ScalarType? dataType = null, Device? device = null, long? seed = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var family = FamilyRegistry.Of(configuration, "the configuration");
        using var generator = seed is { } number ? new Generator((ulong)number) : null;
        return Build(family, configuration, family.Read(new ConfigurationReader(configuration)), WeightSource.Initialized(
            dataType ?? ScalarType.Float32, device ?? CPU, generator));
    }

    /// <summary>A network in evaluation mode with the same weights, adapters merged. Those that have the type already are shared.</summary>
    internal TransformerNetwork ConvertTo(ScalarType dataType)
    {
        using var hold = Hold();
        return Build(Family, Configuration.DeepClone().AsObject(), Description, new NetworkWeightSource(this, dataType));
    }

    /// <summary>
    /// A float32 network with weights of its own, as one that is saved and loaded again; adapters are left out.
    /// </summary>
    /// <param name="keepsMatrices">Whether matrices in a narrower type stay so.</param>
    /// <param name="device">Where it goes; the CPU where null.</param>
    /// <exception cref="InvalidOperationException">The network is quantized.</exception>
    internal TransformerNetwork Copy(bool keepsMatrices = false, Device? device = null)
    {
        using var weights = new TensorCheckpoint($"the {Family.ModelType} in memory", CheckpointTensors());
        return Load(Configuration.DeepClone().AsObject(), weights, weights.Location, device: device, keepsMatrices: keepsMatrices);
    }

    /// <summary>
    /// A network with room for further tokens, in evaluation mode and without adapters. In tables of tokens, output heads and their biases
    /// the rows of new tokens are the mean of those of the tokens that there were, as where a new token is likely to mean what others do
    /// (transformers' <c>resize_token_embeddings</c> draws around it). All other weights are shared with this network, which may be
    /// disposed.
    /// </summary>
    /// <param name="known">
    /// How many tokens there are, by the tokenizer. A network may have rows for more, which no token has; they are given to new tokens.
    /// </param>
    /// <param name="size">The number of tokens to be, at least <paramref name="known"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer known tokens than one, or more than rows; or fewer wanted.</exception>
    /// <exception cref="NotSupportedException">The network reads tokens of several kinds.</exception>
    /// <exception cref="InvalidOperationException">The network has adapters, or is quantized.</exception>
    public TransformerNetwork WithTokens(int known, int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(known, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(known, VocabularySize);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, known);
        using var hold = Hold();
        if (Description.Stacks.Any(stack => stack.Input.Tables.Length > 1 || stack.Input.Rows != VocabularySize)
            || !Configuration.ContainsKey("vocab_size"))
        {
            throw new NotSupportedException($"This {Family.ModelType} reads tokens of several kinds; it takes no further ones.");
        }

        var configuration = Configuration.DeepClone().AsObject();
        configuration["vocab_size"] = Math.Max(size, VocabularySize);
        var vocabulary = Description.Stacks.SelectMany(stack => stack.Input.Tables.Concat(stack.Heads.Select(head => head.Weight))
            .Concat(stack.Heads.Select(head => head.Bias?.Name).OfType<string>())).ToHashSet(StringComparer.Ordinal);
        return WithRows(configuration, vocabulary, known, size);
    }

    /// <summary>A network with further rows of tokens: see <see cref="WithTokens"/>.</summary>
    /// <param name="configuration">Of the network to be.</param>
    /// <param name="vocabulary">The names of what has a row, or a number, for each token.</param>
    /// <param name="known">How many tokens there are, by the tokenizer.</param>
    /// <param name="size">The number of tokens to be.</param>
    /// <exception cref="InvalidOperationException">The network has adapters, or is quantized.</exception>
    internal TransformerNetwork WithRows(JsonObject configuration, IReadOnlySet<string> vocabulary, int known, int size)
    {
        using var hold = Hold();
        ThrowIfQuantized("given tokens");
        if (Lora is not null)
            throw new InvalidOperationException("The network has LoRA adapters. Merge them before it is given tokens.");
        var description = Family.Read(new ConfigurationReader(configuration, tensors: [.. CheckpointTensors().Select(t => t.Key)]));
        return Build(Family, configuration, description, new GrownWeightSource(this, vocabulary, known, size));
    }

    /// <inheritdoc/>
    internal override void WriteTokenRows()
    {
        base.WriteTokenRows();
        foreach (var head in Output.Heads)
        {
            if (head.Converted is { } converted)
                head.TrainedRows?.Write(converted);
        }
    }

    /// <summary>Makes what is trained of the network's type, where it is kept in a narrower one.</summary>
    internal void WidenTrained()
    {
        foreach (var module in modules())
        {
            if (module is Linear { Quantized: null } layer && layer.Weight.requires_grad)
                layer.WidenWeight();
            else if (module is Embedding { Quantized: null } table && table.Weight.requires_grad)
                table.WidenWeight();
        }
    }

    /// <inheritdoc/>
    internal override bool IsShared(string parameterName) =>
        Description.Stacks.SelectMany(stack => stack.Input.Tables.Concat(stack.Heads.Select(head => head.Weight)))
            .Count(name => name == parameterName) > 1;

    /// <inheritdoc/>
    internal override bool IsOutputHead(string layerName) => Output.Heads.Any(head => head.LayerName == layerName);

    private static TransformerNetwork Build(Family family, JsonObject configuration, Transformer description, WeightSource weights) =>
        description switch
    {
        { Encoder: null } => new CausalLanguageModel(family, configuration, description, weights),
        { Decoder: null } => new MaskedLanguageModel(family, configuration, description, weights),
        _ => new EncoderDecoderModel(family, configuration, description, weights),
    };

    private static IEnumerable<string> TablesOf(Input input)
    {
        foreach (var table in input.Tables)
            yield return table;
        if (input.Positions is LearnedPositions learned)
            yield return learned.Table;
        if (input.Types is { } types)
            yield return types.Table;
    }
}
