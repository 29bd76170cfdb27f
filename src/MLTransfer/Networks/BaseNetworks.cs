using System.Runtime.InteropServices;
using Google.Protobuf;
using MLTransfer.Onnx.Reading;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Described;
using static TorchSharp.torch;

namespace MLTransfer.Networks;

/// <summary>Makes pretrained networks, from the user's files and from model files.</summary>
internal static class BaseNetworks
{
    public static BaseNetwork FromOnnx(OnnxGraph graph, bool imports) => imports ? new OnnxImport(graph) : new OnnxFeatures(graph);

    public static ModuleBaseNetwork FromTorchScript(byte[] program, string location)
    {
        jit.ScriptModule<Tensor, Tensor> module;
        try
        {
            module = jit.load<Tensor, Tensor>(program);
        }
        catch (ExternalException exception)
        {
            throw new InvalidDataException(
                $"{location} is not a TorchScript file that libtorch loads: {exception.Message.Split('\n')[0]}", exception);
        }

        return Ownership.Pass(
            module, () => new ModuleBaseNetwork(module, module.call, $"the TorchScript network of {location}") { Program = program });
    }

    public static ModuleBaseNetwork FromLayers(
        IReadOnlyList<Layer> layers, IReadOnlyList<long> inputShape, Checkpoint weights, string? prefix = null)
    {
        var sequence = LayerSequence.Load(layers, inputShape, weights, prefix: prefix);
        return Ownership.Pass(sequence, () => new ModuleBaseNetwork(sequence, $"the layers of '{weights.Location}'"));
    }

    public static ModuleBaseNetwork FromModule(string typeName, Checkpoint? weights)
    {
        var module = TrustedModules.Create(typeName);
        return Ownership.Pass(module, () =>
        {
            var network = new ModuleBaseNetwork(module, $"the module '{typeName}'");
            if (weights is not null)
                network.LoadWeights(weights);
            return network;
        });
    }

    /// <summary>A network with weights of its own, as one that is saved and loaded again.</summary>
    public static TransferNetwork Copy(TransferNetwork network)
    {
        using var weights = new TensorCheckpoint("the new layers in memory", network.NewLayers.state_dict());
        var pretrained = Copy(network.Pretrained);
        return Ownership.Pass(
            pretrained, () => TransferNetwork.Load(pretrained, Descriptions(network.NewLayers), network.InputShape, weights));
    }

    /// <summary>The layers of a sequence, as they were described.</summary>
    public static IReadOnlyList<Layer> Descriptions(LayerSequence sequence) => [.. sequence.Layers.Select(module => module.Layer)];

    private static BaseNetwork? Copy(BaseNetwork? network)
    {
        switch (network)
        {
            case null:
                return null;
            case OnnxBaseNetwork onnx:
                return FromOnnx(
                    OnnxGraph.Read(onnx.ToModel().ToByteArray(), onnx.Graph.Location, outputName: null), imports: onnx is OnnxImport);
            case ModuleBaseNetwork module:
                using (var weights = new TensorCheckpoint(module.Description, module.Parameters.Concat(module.Buffers)))
                {
                    if (module.Module is LayerSequence sequence)
                        return FromLayers(Descriptions(sequence), sequence.InputShape, weights);
                    if (module.Program is not { } program)
                        return FromModule(TrustedModules.NameOf(module.Module.GetType()), weights);
                    var script = FromTorchScript(program, "the program in memory");
                    script.LoadWeights(weights);
                    return script;
                }

            default:
                throw new NotSupportedException($"{network.Description} cannot be copied. Save the model and give its zip.");
        }
    }
}
