using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>What a run changes of a network, and keeps of it in its folder: the whole network, or its adapters where it has such.</summary>
internal static class NetworkWeights
{
    /// <summary>The parameters that training changes, under the names that a file has for them.</summary>
    /// <param name="network">What is trained.</param>
    /// <param name="prefix">What a file puts before the names.</param>
    public static IEnumerable<KeyValuePair<string, Tensor>> Of(GenerativeNetwork network, string prefix = "") =>
        network.TrainableParameters().Select(p => KeyValuePair.Create(prefix + p.Name, (Tensor)p.Parameter));

    /// <summary>Writes the network, or its adapters.</summary>
    public static void Save(GenerativeNetwork network, string folder)
    {
        if (network.Lora is null)
            network.Save(folder);
        else
            PeftAdapterFolder.Save(network, folder);
    }

    /// <summary>Opens what <see cref="Save"/> wrote; with it, what it puts before the names.</summary>
    public static (Checkpoint Weights, string Prefix) Open(GenerativeNetwork network, string folder) => network.Lora is null
        ? (network.OpenWeights(folder), "")
        : (SafetensorsFile.Open(Path.Combine(folder, PeftAdapterFolder.WeightsFileName)), PeftAdapterFolder.NamePrefix);

    /// <summary>Takes what <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">A file is damaged or of another model; no weight has changed.</exception>
    public static void Restore(GenerativeNetwork network, string folder)
    {
        var (weights, prefix) = Open(network, folder);
        using (weights)
            WeightSnapshot.CopyInto(Of(network, prefix), weights);
    }

    /// <summary>Adds all parameters, those that are trained first.</summary>
    public static void AddTo(RunFingerprint fingerprint, GenerativeNetwork network)
    {
        foreach (var (name, parameter) in network.TrainableParameters())
            fingerprint.AddTrained(name, parameter);
        foreach (var (name, parameter) in network.named_parameters().Where(p => !p.parameter.requires_grad))
            fingerprint.AddFrozen(name, parameter);
    }

    /// <summary>Frees gradients.</summary>
    public static void ClearGradients(GenerativeNetwork network)
    {
        foreach (var (_, parameter) in network.TrainableParameters())
            parameter.grad = null;
    }
}
