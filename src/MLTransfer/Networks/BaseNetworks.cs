using System.Runtime.InteropServices;
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
}
