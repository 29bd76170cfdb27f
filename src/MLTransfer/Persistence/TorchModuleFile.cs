using System.IO.Compression;
using Google.Protobuf;
using MLTransfer.Networks;
using MLTransfer.Onnx.Reading;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Described;
using Microsoft.ML;

namespace MLTransfer.Persistence;

/// <summary>
/// Writes and reads the part of a model file that belongs to a network of pretrained and new layers. Beside the <see cref="TorchModuleManifest"/> its folder
/// in the zip holds the new layers' weights, <c>new_layers.safetensors</c>, and the pretrained network: <c>base.onnx</c>, <c>base.safetensors</c>, or for
/// TorchScript <c>base.pt</c> with <c>base.safetensors</c>.
/// </summary>
/// <remarks>
/// Nothing that a file says is run unless the application allowed it through <see cref="TrustedModules"/>: a class of the user's own is made only where it is
/// registered, and a TorchScript program only where such programs are allowed.
/// </remarks>
internal static class TorchModuleFile
{
    private const string NewWeightsName = "new_layers.safetensors";
    private const string BaseWeightsName = "base.safetensors";
    private const string OnnxName = "base.onnx";
    private const string ProgramName = "base.pt";
    private const int MaximumFileLength = int.MaxValue / 2;

    private static VersionInfo Version => ModelFileVersion.Create("TORCHMOD", TorchModuleTransformer.LoaderSignature);

    public static void Save(ModelSaveContext context, TorchModuleTransformer transformer)
    {
        if (!context.InRepository)
            throw new NotSupportedException("A network can only be saved to a model file (zip).");
        context.CheckAtModel();
        context.SetVersionInfo(Version);
        var archive = RepositoryArchive.Of(context.Repository);
        var files = new List<StoredFile>();
        var network = transformer.Network;
        Add(NewWeightsName, stream => SafetensorsWriter.Write(
            stream, network.NewLayers.state_dict().Select(pair => KeyValuePair.Create(pair.Key, pair.Value))));
        switch (network.Pretrained)
        {
            case OnnxBaseNetwork pretrained:
                Add(OnnxName, stream => pretrained.ToModel().WriteTo(stream));
                break;
            case ModuleBaseNetwork pretrained:
                if (pretrained.Program is { } program)
                    Add(ProgramName, stream => stream.Write(program));
                Add(BaseWeightsName, stream => SafetensorsWriter.Write(stream, pretrained.Parameters.Concat(pretrained.Buffers)));
                break;
        }

        StoredManifest.Write(context, new TorchModuleManifest
        {
            Columns = transformer.Columns,
            TransformBatchSize = transformer.TransformBatchSize,
            History = transformer.History,
            BaseKind = KindOf(network.Pretrained),
            BaseTypeName = KindOf(network.Pretrained) == StoredBaseKind.Module
                ? TrustedModules.NameOf(((ModuleBaseNetwork)network.Pretrained!).Module.GetType())
                : null,
            BaseLayers = network.Pretrained is ModuleBaseNetwork { Module: LayerSequence sequence } ? LayersOf(sequence) : null,
            NewLayers = LayersOf(network.NewLayers),
            Files = files,
        });

        void Add(string name, Action<Stream> write) => files.Add(StoredFile.Write(context, archive, name, compress: false, write));
    }

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    /// <exception cref="InvalidOperationException">The file needs a class or a program that the application has not allowed.</exception>
    public static TorchModuleTransformer Load(ModelLoadContext context)
    {
        ModelFileVersion.Check(context, Version);
        var manifest = StoredManifest.Read<TorchModuleManifest>(context, "network", manifest => manifest.Check());
        var archive = RepositoryArchive.Of(context.Repository);
        BaseNetwork? pretrained = null;
        try
        {
            pretrained = LoadBase(context, archive, manifest);
            using var weights = ReadWeights(context, archive, manifest, NewWeightsName);
            var network = TransferNetwork.Load(pretrained, manifest.NewLayers, manifest.Columns.InputShape, weights);
            if (!network.OutputShape.SequenceEqual(manifest.Columns.OutputShape))
                throw new ArgumentException("its layers give another shape than its output column has");
            return new TorchModuleTransformer(network, manifest.Columns, manifest.TransformBatchSize, manifest.History);
        }
        catch (Exception exception)
        {
            pretrained?.Dispose();
            if (exception is ArgumentException)
                throw new InvalidDataException($"The model file is damaged: the network in '{context.Directory}': {exception.Message}", exception);
            throw;
        }
    }

    private static BaseNetwork? LoadBase(ModelLoadContext context, ZipArchive? archive, TorchModuleManifest manifest)
    {
        switch (manifest.BaseKind)
        {
            case StoredBaseKind.OnnxFeatures or StoredBaseKind.OnnxLayers:
                var graph = OnnxGraph.Read(ReadBytes(OnnxName), OnnxName, outputName: null);
                return BaseNetworks.FromOnnx(graph, imports: manifest.BaseKind == StoredBaseKind.OnnxLayers);
            case StoredBaseKind.TorchScript:
                if (!TrustedModules.AllowTorchScript)
                {
                    throw new InvalidOperationException(
                        "The model file holds a TorchScript program, which this program has not allowed. If you trust the file, set "
                        + $"{nameof(TrustedModules)}.{nameof(TrustedModules.AllowTorchScript)} = true before loading it.");
                }

                var script = BaseNetworks.FromTorchScript(ReadBytes(ProgramName), $"'{ProgramName}'");
                using (var weights = ReadWeights(context, archive, manifest, BaseWeightsName))
                    script.LoadWeights(weights);
                return script;
            case StoredBaseKind.Layers:
                using (var weights = ReadWeights(context, archive, manifest, BaseWeightsName))
                    return BaseNetworks.FromLayers(manifest.BaseLayers!, manifest.Columns.InputShape, weights);
            case StoredBaseKind.Module:
                using (var weights = ReadWeights(context, archive, manifest, BaseWeightsName))
                    return BaseNetworks.FromModule(manifest.BaseTypeName!, weights);
            default:
                return null;
        }

        byte[] ReadBytes(string name) => Find(manifest, name).ReadBytes(context, archive, MaximumFileLength);
    }

    private static SafetensorsFile ReadWeights(ModelLoadContext context, ZipArchive? archive, TorchModuleManifest manifest, string name) =>
        Find(manifest, name).Read(context, archive, stream => SafetensorsFile.Read(stream, name));

    private static StoredFile Find(TorchModuleManifest manifest, string name) => StoredFile.Find(manifest.Files, name, "network");

    private static StoredBaseKind KindOf(BaseNetwork? network) => network switch
    {
        null => StoredBaseKind.None,
        OnnxFeatures => StoredBaseKind.OnnxFeatures,
        OnnxImport => StoredBaseKind.OnnxLayers,
        ModuleBaseNetwork { Program: not null } => StoredBaseKind.TorchScript,
        ModuleBaseNetwork { Module: LayerSequence } => StoredBaseKind.Layers,
        _ => StoredBaseKind.Module,
    };

    private static List<Layer> LayersOf(LayerSequence sequence) => [.. sequence.Layers.Select(module => module.Layer)];
}
