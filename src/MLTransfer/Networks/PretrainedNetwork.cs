using MLTransfer.Cards;
using MLTransfer.Networks;
using MLTransfer.Persistence;
using MLTransfer.Onnx.Reading;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Described;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MLTransfer;

/// <summary>Where the pretrained network of <see cref="TorchModuleOptions"/> comes from.</summary>
/// <remarks>
/// Networks take and give float32 tensors whose first dimension is the batch. Pictures are [batch, channels, height, width].
/// </remarks>
public abstract record PretrainedNetwork
{
    private PretrainedNetwork()
    {
    }

    /// <summary>An ONNX file that ONNX Runtime computes. It stays as it is; any operator that ONNX Runtime knows may be in it.</summary>
    /// <param name="path">The file, with its weights inside.</param>
    /// <param name="outputName">
    /// The value of the graph that new layers are put on, such as the one before the classes; null for the graph's output.
    /// </param>
    public static PretrainedNetwork OnnxFeatures(string path, string? outputName = null) =>
        new OnnxSource(Named(path), outputName, Imports: false);

    /// <summary>An ONNX file that is made into layers of TorchSharp, which can be trained.</summary>
    /// <param name="path">The file, with its weights inside, in float32.</param>
    /// <param name="outputName">
    /// The value of the graph that new layers are put on, such as the one before the classes; null for the graph's output.
    /// </param>
    public static PretrainedNetwork OnnxLayers(string path, string? outputName = null) =>
        new OnnxSource(Named(path), outputName, Imports: true);

    /// <summary>A TorchScript file, as <c>torch.jit.save</c> writes it. It is a program: load only files that you trust.</summary>
    public static PretrainedNetwork TorchScript(string path) => new ScriptSource(Named(path));

    /// <summary>
    /// Layers by their description, with the weights in a file under <c>name.weight</c>, <c>name.bias</c>: the <c>state_dict</c> of a
    /// <c>Sequential</c> of PyTorch fits as it is.
    /// </summary>
    /// <param name="path">The file: safetensors, or what <c>torch.save</c> wrote (<c>.pt</c>, <c>.pth</c>, <c>.bin</c>).</param>
    /// <param name="layers">The layers. Those that the file has beyond them are left out.</param>
    /// <param name="prefix">
    /// What stands before all names in the file, such as <c>main</c> where they are <c>main.0.weight</c>; null for nothing.
    /// </param>
    public static PretrainedNetwork Layers(string path, IReadOnlyList<Layer> layers, string? prefix = null)
    {
        ArgumentNullException.ThrowIfNull(layers);
        return new LayerSource(Named(path), layers, prefix);
    }

    /// <inheritdoc cref="Layers(string, IReadOnlyList{Layer}, string?)"/>
    /// <param name="path">The file: safetensors, or what <c>torch.save</c> wrote (<c>.pt</c>, <c>.pth</c>, <c>.bin</c>).</param>
    /// <param name="layersPath">
    /// The file with the description of the layers, <c>layers.json</c>, as <see cref="LayerJson"/> reads it.
    /// </param>
    /// <param name="prefix">
    /// What stands before all names in the file, such as <c>main</c> where they are <c>main.0.weight</c>; null for nothing.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no description.</exception>
    /// <exception cref="InvalidDataException">The description is not valid.</exception>
    public static PretrainedNetwork Layers(string path, string layersPath, string? prefix = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(layersPath);
        try
        {
            return Layers(path, LayerJson.Read(File.ReadAllText(layersPath)), prefix);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"'{layersPath}': {exception.Message}", exception);
        }
    }

    /// <summary>A class of your own.</summary>
    /// <param name="weightsPath">
    /// A file with its weights, safetensors or what <c>torch.save</c> wrote; null to take them as the constructor makes them.
    /// </param>
    public static PretrainedNetwork Module<TModule>(string? weightsPath = null)
        where TModule : nn.Module<Tensor, Tensor>, new()
    {
        TrustedModules.RegisterType(typeof(TModule));
        return new ModuleSource(TrustedModules.NameOf(typeof(TModule)), weightsPath);
    }

    /// <summary>A class of your own, by name, with a constructor without parameters.</summary>
    /// <param name="typeName">The assembly-qualified name, such as <c>MyApplication.MyNetwork, MyApplication</c>.</param>
    /// <param name="weightsPath">
    /// A file with its weights, safetensors or what <c>torch.save</c> wrote; null to take them as the constructor makes them.
    /// </param>
    /// <exception cref="ArgumentException">There is no such type, or it is not a module of one tensor to one tensor.</exception>
    public static PretrainedNetwork Module(string typeName, string? weightsPath = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(typeName);
        Type? type;
        try
        {
            type = Type.GetType(typeName);
        }
        catch (Exception exception) when (exception is IOException or BadImageFormatException)
        {
            throw new ArgumentException(
                $"The assembly of the type '{typeName}' cannot be loaded: {exception.Message}", nameof(typeName), exception);
        }

        TrustedModules.RegisterType(type ?? throw new ArgumentException(
            $"There is no type '{typeName}'. Give its name with namespace and assembly: 'MyApplication.MyNetwork, MyApplication'.",
            nameof(typeName)));
        return new ModuleSource(TrustedModules.NameOf(type), weightsPath);
    }

    /// <summary>
    /// The network of a loaded model, to train on. It stays as it is: its weights are copied. Its pretrained part is frozen as
    /// <see cref="TorchModuleOptions.Freezing"/> says; the layers that were new in it are trained on, with those of
    /// <see cref="TorchModuleOptions.NewLayers"/> after them.
    /// </summary>
    /// <param name="model">A transformer with a network, or a chain of transformers with one.</param>
    public static PretrainedNetwork Model(ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new TransformerSource(model);
    }

    /// <summary>The network of a model zip, to train on as <see cref="Model"/> says.</summary>
    /// <param name="path">A file that ML.NET saved a <see cref="TorchModuleTransformer"/> to.</param>
    public static PretrainedNetwork ModelFile(string path) => new ModelFileSource(Named(path));

    /// <summary>Loads the network.</summary>
    /// <param name="inputShape">The shape of an input without the batch, for layers that are only described.</param>
    internal abstract BaseNetwork Load(IReadOnlyList<long> inputShape);

    /// <summary>What a model card tells of it.</summary>
    internal abstract BaseOrigin Origin { get; }

    /// <summary>The shape of an input without the batch where the network has one of its own; null otherwise.</summary>
    internal virtual IReadOnlyList<long>? InputShape => null;

    /// <summary>The whole network, in memory of its own, where it is one that was trained here; null otherwise.</summary>
    /// <param name="environment">Where a model file's other transformers are registered.</param>
    internal virtual (TransferNetwork Network, TorchModuleColumns Columns)? LoadTrained(IHostEnvironment environment) => null;

    private static string Named(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return path;
    }

    private sealed record OnnxSource(string Path, string? OutputName, bool Imports) : PretrainedNetwork
    {
        internal override BaseOrigin Origin => BaseOrigin.ReadFile(Path);

        internal override IReadOnlyList<long>? InputShape => Read().InputShape;

        internal override BaseNetwork Load(IReadOnlyList<long> inputShape) => BaseNetworks.FromOnnx(Read(), Imports);

        private OnnxGraph Read() => OnnxGraph.Read(FileKind.Network.Read(Path), Path, OutputName);
    }

    private sealed record ScriptSource(string Path) : PretrainedNetwork
    {
        internal override BaseOrigin Origin => BaseOrigin.ReadFile(Path);

        internal override BaseNetwork Load(IReadOnlyList<long> inputShape) =>
            BaseNetworks.FromTorchScript(FileKind.Network.Read(Path), $"'{Path}'");
    }

    private sealed record LayerSource(string Path, IReadOnlyList<Layer> Description, string? Prefix) : PretrainedNetwork
    {
        internal override BaseOrigin Origin => BaseOrigin.ReadFile(Path);

        internal override BaseNetwork Load(IReadOnlyList<long> inputShape)
        {
            using var file = Checkpoint.OpenFile(Path);
            return BaseNetworks.FromLayers(Description, inputShape, file, Prefix);
        }
    }

    private sealed record ModuleSource(string TypeName, string? WeightsPath) : PretrainedNetwork
    {
        internal override BaseOrigin Origin => WeightsPath is null ? new BaseOrigin(TypeName) : BaseOrigin.ReadFile(WeightsPath);

        internal override BaseNetwork Load(IReadOnlyList<long> inputShape)
        {
            if (WeightsPath is null)
                return BaseNetworks.FromModule(TypeName, weights: null);
            using var file = Checkpoint.OpenFile(WeightsPath);
            return BaseNetworks.FromModule(TypeName, file);
        }
    }

    /// <summary>What <see cref="TransferNetwork"/> consists of is known only once it is there.</summary>
    private abstract record TrainedSource : PretrainedNetwork
    {
        protected const string Wanted = "no network of layers";

        internal override BaseNetwork Load(IReadOnlyList<long> inputShape) => throw new NotSupportedException("It is loaded whole.");
    }

    private sealed record TransformerSource(ITransformer Transformer) : TrainedSource
    {
        internal override BaseOrigin Origin =>
            TransformerChain.Find<TorchModuleTransformer>(Transformer, Wanted).Found.Card?.Base ?? new BaseOrigin("a loaded network");

        internal override (TransferNetwork Network, TorchModuleColumns Columns)? LoadTrained(IHostEnvironment environment)
        {
            var found = TransformerChain.Find<TorchModuleTransformer>(Transformer, Wanted).Found;
            return (found.CopyNetwork(), found.Columns);
        }
    }

    private sealed record ModelFileSource(string Path) : TrainedSource
    {
        internal override BaseOrigin Origin => BaseOrigin.ReadFile(Path);

        internal override (TransferNetwork Network, TorchModuleColumns Columns)? LoadTrained(IHostEnvironment environment)
        {
            var found = ModelZip.Take<TorchModuleTransformer>(environment, Path, Wanted);
            return (found.Network, found.Columns);
        }
    }
}
