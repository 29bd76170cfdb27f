using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;
using Linear = MLTransfer.Torch.Layers.Linear;

namespace MLTransfer.Torch.Networks;

/// <summary>A pretrained network that makes texts, pictures or sounds.</summary>
/// <remarks>
/// Parameters carry the names of the checkpoint (<c>transformer.h.0.attn.c_attn.weight</c>), adapters aside. A network in evaluation mode,
/// as <see cref="Load"/> gives it, may be called from several threads; training is for one. It may be disposed at any time: calls under
/// way go on, training among them, and the weights are freed when the last of them has ended.
/// </remarks>
public abstract class GenerativeNetwork : nn.Module
{
    private protected GenerativeNetwork(string name, JsonObject configuration)
        : base(name)
    {
        Configuration = configuration;
    }

    /// <summary>The content of <c>config.json</c>, unknown entries included.</summary>
    public JsonObject Configuration { get; }

    /// <summary>The calls that use the weights.</summary>
    private protected UseCount Uses { get; } = new();

    /// <summary>Where the network's dropout draws from.</summary>
    internal virtual DropoutSource DropoutSource { get; } = new();

    /// <summary>The LoRA adapters that are attached, or null.</summary>
    public virtual LoraOptions? Lora { get; internal set; }

    /// <summary>Whether matrices are integers in place of parameters.</summary>
    public bool IsQuantized => QuantizedTo is not null;

    /// <summary>What matrices are in place of parameters; null where they are parameters.</summary>
    public QuantizationFormat? QuantizedTo { get; internal set; }

    /// <summary>The type of the parameters.</summary>
    public virtual ScalarType DataType => IsQuantized ? ScalarType.Float32 : parameters().First().dtype;

    /// <summary>Where the parameters are.</summary>
    public virtual Device Device => IsQuantized ? CPU : parameters().First().device;

    /// <summary>The name prefixes of the parameters of each block, such as <c>transformer.h.3.</c>, in the order of computation.</summary>
    public virtual IReadOnlyList<string> BlockPrefixes => [];

    /// <summary>The linear layers that adapters are put on where nobody says which, by the last part or parts of their names.</summary>
    public virtual IReadOnlyList<string> DefaultLoraTargets => ["all-linear"];

    /// <summary>Whether a parameter is a table that ids are looked up in.</summary>
    public virtual bool IsEmbedding(string parameterName) => false;

    /// <summary>The one table that tokens are looked up in; null where there is none, or are several.</summary>
    internal virtual Embedding? TokenTable => null;

    /// <summary>The output head whose rows tokens are looked up in, by their ids; null where there is none.</summary>
    internal virtual Linear? TokenHead => null;

    /// <summary>Whether two modules read a parameter.</summary>
    internal virtual bool IsShared(string parameterName) => false;

    /// <summary>Whether a linear layer of this name makes logits: no adapter is put on it unless it is asked for by name.</summary>
    internal virtual bool IsOutputHead(string layerName) => false;

    /// <summary>The number of the block that a linear layer of this name is in; null where the last number in the name tells
    /// it.</summary>
    internal virtual int? BlockOf(string layerName) => null;

    /// <summary>
    /// The type that matrix products are computed in; null for the parameters' own. Normalization, softmax and loss stay in float32.
    /// </summary>
    internal virtual ScalarType? ComputeType
    {
        get;
        set
        {
            field = value;
            foreach (var layer in modules().OfType<Linear>())
                (layer.ComputeType, layer.ConvertedWeight) = (value, null);
        }
    }

    /// <summary>Loads whatever generative network a folder holds, in evaluation mode; its form is recognised by its content.</summary>
    /// <param name="folder">In Hugging Face layout, or as its authors released it.</param>
    /// <param name="dataType">The parameters' type; float32 where null.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="FileNotFoundException">The folder holds no form of checkpoint that is known; the message lists those that
    /// are.</exception>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The architecture is not supported.</exception>
    public static GenerativeNetwork Load(string folder, ScalarType? dataType = null, Device? device = null) =>
        NetworkForm.Of(folder).Load(folder, dataType ?? ScalarType.Float32, device ?? CPU);

    /// <summary>The tensors that a checkpoint keeps, without adapters.</summary>
    /// <exception cref="InvalidOperationException">The network is quantized.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public virtual IEnumerable<KeyValuePair<string, Tensor>> CheckpointTensors()
    {
        using var hold = Hold();
        ThrowIfQuantized("saved");
        return named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter))
            .Concat(named_buffers().Select(b => KeyValuePair.Create(b.name, b.buffer)));
    }

    /// <summary>The parameters that training changes: those not frozen, or those of the adapters.</summary>
    /// <exception cref="InvalidOperationException">The network is quantized.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public IEnumerable<(string Name, Parameter Parameter)> TrainableParameters()
    {
        using var hold = Hold();
        ThrowIfQuantized("trained");
        return named_parameters().Concat(AdapterParameters()).Where(p => p.parameter.requires_grad);
    }

    /// <summary>Writes <c>config.json</c> and the weights into an existing folder.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="storeAs">The type that weights are stored in; as they are where null.</param>
    /// <exception cref="InvalidOperationException">The network is quantized.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public virtual void Save(string folder, ScalarType? storeAs = null)
    {
        using var hold = Hold();
        ThrowIfQuantized("saved");
        ModelConfigurationFile.Write(folder, Configuration, storeAs ?? DataType);
        CheckpointWriter.Write(folder, CheckpointTensors(), storeAs);
    }

    /// <summary>Opens the weights in a folder that <see cref="Save"/> wrote, under the names of <see cref="CheckpointTensors"/>. The
    /// caller disposes it.</summary>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    internal virtual Checkpoint OpenWeights(string folder) => Checkpoint.Open(folder);

    /// <summary>
    /// SHA-256 over names, shapes, types and values of the checkpoint's tensors: 64 hexadecimal digits. Equal weights have equal
    /// fingerprints.
    /// </summary>
    /// <exception cref="InvalidOperationException">The network is quantized.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public string ComputeFingerprint()
    {
        using var hold = Hold();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in CheckpointTensors())
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} {tensor.dtype} [{string.Join(',', tensor.shape)}]\n"));
            hash.AppendValues(tensor);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Begins a call that uses the weights.</summary>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    internal UseCount.Hold Hold() => Uses.Begin(GetType());

    /// <summary>The adapted layers by name, such as <c>transformer.h.0.attn.c_attn</c>.</summary>
    internal IEnumerable<(string Name, Linear Layer)> AdaptedLayers() => LinearLayers().Where(l => l.Layer.Adapter is not null);

    internal IEnumerable<(string Name, Linear Layer)> LinearLayers() =>
        named_modules().Where(m => m.module is Linear).Select(m => (m.name, (Linear)m.module));

    /// <summary>The matrices of all adapters under the names that peft gives them, less its prefix; and rows of tokens.</summary>
    internal IEnumerable<(string name, Parameter parameter)> AdapterParameters() =>
        (from layer in AdaptedLayers()
        from part in layer.Layer.Adapter!.Parameters
        select ($"{layer.Name}.{part.Name}", part.Parameter))
        .Concat(TrainedTokenRows().Select(rows => ($"{rows.Module}.{TokenRows.Name}", rows.Rows.Values)));

    /// <summary>Tables and output heads of which the rows of some tokens are trained, by the names of their modules.</summary>
    internal IEnumerable<(string Module, TokenRows Rows, Parameter Table)> TrainedTokenRows()
    {
        foreach (var (name, module) in named_modules())
        {
            if (module is Embedding { TrainedRows: { } ofTable } table)
                yield return (name, ofTable, table.Weight);
            else if (module is Linear { TrainedRows: { } ofHead } head)
                yield return (name, ofHead, head.Weight);
        }
    }

    /// <summary>Brings the rows of tokens that are trained to where they are read.</summary>
    internal virtual void WriteTokenRows()
    {
        foreach (var (_, rows, table) in TrainedTokenRows())
            rows.Write(table);
    }

    /// <exception cref="InvalidOperationException">The network is quantized.</exception>
    internal void ThrowIfQuantized(string done)
    {
        if (IsQuantized)
        {
            throw new InvalidOperationException(
                $"The model's weights are quantized to {(QuantizedTo == QuantizationFormat.Int8 ? "int8" : "int4")} and cannot be {done}. "
                + "Load the model again.");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Uses.Dispose(() => base.Dispose(true));
        else
            base.Dispose(false);
    }

    /// <inheritdoc/>
    protected override void RegisterComponents()
    {
        // TorchSharp would register the fields once more, under their own names.
    }
}
