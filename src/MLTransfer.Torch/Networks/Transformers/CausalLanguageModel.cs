using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Numerics.Rows;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>A network that gives the next token's distribution from the tokens before it.</summary>
/// <remarks>
/// Parameters carry the names of the Hugging Face checkpoint (<c>transformer.h.0.attn.c_attn.weight</c>), adapters aside.
/// A model in evaluation mode may be called from several threads; training is for one.
/// </remarks>
public abstract class CausalLanguageModel : nn.Module
{
    private protected CausalLanguageModel(string name, JsonObject configuration)
        : base(name)
    {
        Configuration = configuration;
    }

    /// <summary>The content of <c>config.json</c>, unknown entries included.</summary>
    public JsonObject Configuration { get; }

    /// <summary>The number of token ids.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The most positions that the network can see.</summary>
    public abstract int ContextLength { get; }

    /// <summary>The number of transformer blocks.</summary>
    public abstract int LayerCount { get; }

    /// <summary>The number of key and value heads of a block.</summary>
    public abstract int KeyValueHeadCount { get; }

    /// <summary>The width of one head.</summary>
    public abstract int HeadWidth { get; }

    /// <summary>The name prefix of block <paramref name="layer"/>'s parameters, such as <c>transformer.h.3.</c>.</summary>
    public abstract string BlockPrefix(int layer);

    /// <summary>Whether a parameter is a table of token or position embeddings.</summary>
    public abstract bool IsEmbedding(string parameterName);

    /// <summary>
    /// The parameter that both reads tokens and, where tied, writes logits: [vocabulary, width]. Disposed where the model is quantized, as the
    /// other matrices.
    /// </summary>
    public abstract Parameter TokenEmbedding { get; }

    /// <summary>The weights of the output head, [vocabulary, width]; tied to <see cref="TokenEmbedding"/> in most models.</summary>
    public abstract Parameter OutputHead { get; }

    /// <summary>Dropout probabilities used in training; starts as <c>config.json</c> says.</summary>
    public abstract DropoutProbabilities Dropout { get; set; }

    /// <summary>Where the network's dropout draws from.</summary>
    public DropoutSource DropoutSource { get; } = new();

    /// <summary>The LoRA adapters that are attached, or null.</summary>
    public LoraOptions? Lora { get; internal set; }

    /// <summary>Whether matrices are int8 numbers in place of parameters; see <see cref="WeightQuantization"/>.</summary>
    public bool IsQuantized => QuantizedHead is not null;

    /// <summary>The output head of a quantized model.</summary>
    internal Int8Matrix? QuantizedHead { get; set; }

    /// <summary>The type that matrix products are computed in; null for the parameters' own. Normalization, softmax and loss stay in float32.</summary>
    internal ScalarType? ComputeType
    {
        get;
        set
        {
            field = value;
            ConvertedOutputHead = null;
            foreach (var layer in modules().OfType<Layers.Linear>())
                (layer.ComputeType, layer.ConvertedWeight) = (value, null);
        }
    }

    /// <summary>The output head in the compute type, where it stays the same over many passes; null: each pass converts it.</summary>
    internal Tensor? ConvertedOutputHead { get; set; }

    /// <summary>The type of the parameters.</summary>
    public ScalarType DataType => IsQuantized ? ScalarType.Float32 : TokenEmbedding.dtype;

    /// <summary>Where the parameters are.</summary>
    public Device Device => IsQuantized ? CPU : TokenEmbedding.device;

    /// <summary>The last hidden states, after the final normalization: [batch, length, width].</summary>
    public abstract Tensor ComputeHiddenStates(ModelInput input);

    /// <summary>Logits from hidden states: [..., width] to [..., vocabulary].</summary>
    public Tensor ComputeLogits(Tensor hiddenStates)
    {
        ArgumentNullException.ThrowIfNull(hiddenStates);
        if (QuantizedHead is not null)
            return Int8Product.Compute(hiddenStates, QuantizedHead, null);
        if (RowProduct.Computes(hiddenStates, OutputHead))
            return RowProduct.Compute(hiddenStates, OutputHead);
        if (ComputeType is not { } type)
            return nn.functional.linear(hiddenStates, OutputHead);
        using var scope = NewDisposeScope();
        return nn.functional.linear(hiddenStates.to(type), ConvertedOutputHead ?? OutputHead.to(type)).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of every position: [batch, length, vocabulary].</summary>
    public Tensor Forward(ModelInput input)
    {
        using var hiddenStates = ComputeHiddenStates(input);
        return ComputeLogits(hiddenStates);
    }

    /// <summary>Room for the keys and values of <paramref name="batch"/> sequences.</summary>
    public KeyValueCache CreateCache(int batch, int capacity) =>
        new(LayerCount, batch, KeyValueHeadCount, capacity, HeadWidth, IsQuantized ? ScalarType.BFloat16 : ComputeType ?? DataType, Device);

    /// <summary>Loads a model from a folder in Hugging Face layout.</summary>
    /// <param name="folder">Has <c>config.json</c> and weights (see <see cref="Checkpoint.Open"/>).</param>
    /// <param name="dataType">The parameters' type; float32 where null.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The architecture is not supported.</exception>
    public static CausalLanguageModel Load(string folder, ScalarType? dataType = null, Device? device = null)
    {
        var configuration = ModelConfigurationFile.Read(folder);
        using var checkpoint = Checkpoint.Open(folder);
        return Load(configuration, checkpoint, folder, dataType, device);
    }

    /// <summary>Builds a model from a configuration and named tensors.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="checkpoint">The weights. It may be disposed after the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="dataType">The parameters' type; float32 where null.</param>
    /// <param name="device">The CPU where null.</param>
    public static CausalLanguageModel Load(
        JsonObject configuration, Checkpoint checkpoint, string origin, ScalarType? dataType = null, Device? device = null)
    {
        var family = ModelFamily.Of(configuration, origin);
        return family.Build(configuration, WeightSource.FromCheckpoint(
            checkpoint, origin, family.BasePrefix, dataType ?? ScalarType.Float32, device ?? CPU));
    }

    /// <summary>Builds a model with new weights, drawn with libtorch's generator (seed it with <c>torch.manual_seed</c>).</summary>
    public static CausalLanguageModel Create(JsonObject configuration, ScalarType? dataType = null, Device? device = null) =>
        ModelFamily.Of(configuration, "the configuration")
            .Build(configuration, WeightSource.Initialized(dataType ?? ScalarType.Float32, device ?? CPU));

    /// <summary>A model in evaluation mode with the same weights, adapters merged. Those that have the type already are shared.</summary>
    internal CausalLanguageModel ConvertTo(ScalarType dataType)
    {
        var model = ModelFamily.Of(Configuration, "the model").Build(Configuration.DeepClone().AsObject(), WeightSource.FromModel(this, dataType));
        model.eval();
        return model;
    }

    /// <summary>The parameters as a checkpoint keeps them, without adapters.</summary>
    /// <exception cref="InvalidOperationException">The model is quantized.</exception>
    public IEnumerable<KeyValuePair<string, Tensor>> CheckpointTensors()
    {
        WeightQuantization.ThrowIfQuantized(this, "saved");
        return named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter));
    }

    /// <summary>The parameters that training changes: those not frozen, or those of the adapters.</summary>
    /// <exception cref="InvalidOperationException">The model is quantized.</exception>
    public IEnumerable<(string Name, Parameter Parameter)> TrainableParameters()
    {
        WeightQuantization.ThrowIfQuantized(this, "trained");
        return named_parameters().Concat(LowRankAdaptation.AdapterParameters(this)).Where(p => p.parameter.requires_grad);
    }

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c> into an existing folder, as <c>save_pretrained</c> does.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="storeAs">The type that weights are stored in; as they are where null.</param>
    /// <exception cref="InvalidOperationException">The model is quantized.</exception>
    public void Save(string folder, ScalarType? storeAs = null)
    {
        WeightQuantization.ThrowIfQuantized(this, "saved");
        ModelConfigurationFile.Write(folder, Configuration, storeAs ?? DataType);
        CheckpointWriter.Write(folder, CheckpointTensors(), storeAs);
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
