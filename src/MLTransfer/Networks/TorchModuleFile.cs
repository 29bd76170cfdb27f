using Google.Protobuf;
using MLTransfer.Onnx.Reading;
using MLTransfer.Persistence;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Described;
using Microsoft.ML;

namespace MLTransfer.Networks;

/// <summary>
/// Writes and reads the part of a model file that belongs to a network of pretrained and new layers. Beside the
/// <see cref="TorchModuleManifest"/> its folder in the zip holds the new layers' weights, <c>new_layers.safetensors</c>, and the pretrained
/// network: <c>base.onnx</c>, <c>base.safetensors</c>, or for TorchScript <c>base.pt</c> with <c>base.safetensors</c>.
/// </summary>
/// <remarks>
/// Nothing that a file says is run unless the application allowed it through <see cref="TrustedModules"/>: a class of the user's own is
/// made only where it is registered, and a TorchScript program only where such programs are allowed.
/// </remarks>
internal static class TorchModuleFile
{
    private const string NewWeightsName = "new_layers.safetensors";
    private const string BaseWeightsName = "base.safetensors";
    private const string OnnxName = "base.onnx";
    private const string ProgramName = "base.pt";

    private static readonly ModelPart<TorchModuleManifest> s_part = new("TORCHMOD", TorchModuleTransformer.LoaderSignature, "network");

    public static void Save(ModelSaveContext context, TorchModuleTransformer transformer) => s_part.Write(context, writer =>
    {
        var network = transformer.Network;
        using var hold = network.Hold();
        writer.AddWeights(NewWeightsName, network.NewLayers.state_dict().Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
        switch (network.Pretrained)
        {
            case OnnxBaseNetwork pretrained:
                writer.Add(OnnxName, stream => pretrained.ToModel().WriteTo(stream));
                break;
            case ModuleBaseNetwork pretrained:
                if (pretrained.Program is { } program)
                    writer.Add(ProgramName, stream => stream.Write(program));
                writer.AddWeights(BaseWeightsName, pretrained.Parameters.Concat(pretrained.Buffers));
                break;
        }

        return new TorchModuleManifest
        {
            Columns = transformer.Columns,
            TransformBatchSize = transformer.TransformBatchSize,
            History = transformer.History,
            BaseKind = KindOf(network.Pretrained),
            BaseTypeName = KindOf(network.Pretrained) == StoredBaseKind.Module
                ? TrustedModules.NameOf(((ModuleBaseNetwork)network.Pretrained!).Module.GetType())
                : null,
            BaseLayers = network.Pretrained is ModuleBaseNetwork { Module: LayerSequence sequence }
                ? BaseNetworks.Descriptions(sequence)
                : null,
            NewLayers = BaseNetworks.Descriptions(network.NewLayers),
            Files = writer.Files,
            Card = transformer.Card,
        };
    });

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="NotSupportedException">A newer version of the library wrote the file.</exception>
    /// <exception cref="InvalidOperationException">The file needs a class or a program that the application has not allowed.</exception>
    public static TorchModuleTransformer Load(ModelLoadContext context) => s_part.Read(context, reader =>
    {
        var manifest = reader.Manifest;
        var pretrained = LoadBase(reader);
        return Ownership.Pass(pretrained, () =>
        {
            using var weights = reader.ReadWeights(NewWeightsName);
            var network = TransferNetwork.Load(pretrained, manifest.NewLayers, manifest.Columns.InputShape, weights);
            if (!network.OutputShape.SequenceEqual(manifest.Columns.OutputShape))
                throw new ArgumentException("its layers give another shape than its output column has");
            return new TorchModuleTransformer(network, manifest.Columns, manifest.TransformBatchSize, manifest.History)
            {
                Card = manifest.Card,
            };
        });
    });

    private static BaseNetwork? LoadBase(ModelPartReader<TorchModuleManifest> reader)
    {
        var manifest = reader.Manifest;
        switch (manifest.BaseKind)
        {
            case StoredBaseKind.OnnxFeatures or StoredBaseKind.OnnxLayers:
                var graph = OnnxGraph.Read(reader.ReadBytes(OnnxName, FileKind.Network), OnnxName, outputName: null);
                return BaseNetworks.FromOnnx(graph, imports: manifest.BaseKind == StoredBaseKind.OnnxLayers);
            case StoredBaseKind.TorchScript:
                StoredProgram.CheckIsAllowed();
                var script = BaseNetworks.FromTorchScript(reader.ReadBytes(ProgramName, FileKind.Network), $"'{ProgramName}'");
                using (var weights = reader.ReadWeights(BaseWeightsName))
                    script.LoadWeights(weights);
                return script;
            case StoredBaseKind.Layers:
                using (var weights = reader.ReadWeights(BaseWeightsName))
                    return BaseNetworks.FromLayers(manifest.BaseLayers!, manifest.Columns.InputShape, weights);
            case StoredBaseKind.Module:
                using (var weights = reader.ReadWeights(BaseWeightsName))
                    return BaseNetworks.FromModule(manifest.BaseTypeName!, weights);
            default:
                return null;
        }
    }

    private static StoredBaseKind KindOf(BaseNetwork? network) => network switch
    {
        null => StoredBaseKind.None,
        OnnxFeatures => StoredBaseKind.OnnxFeatures,
        OnnxImport => StoredBaseKind.OnnxLayers,
        ModuleBaseNetwork { Program: not null } => StoredBaseKind.TorchScript,
        ModuleBaseNetwork { Module: LayerSequence } => StoredBaseKind.Layers,
        _ => StoredBaseKind.Module,
    };
}
