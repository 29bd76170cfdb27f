using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Models;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>The trainable weights of a model in a file, to go back to.</summary>
internal sealed class WeightSnapshot(string path)
{
    public bool Exists => File.Exists(path);

    public void Save(CausalLanguageModel model) =>
        SafetensorsWriter.Write(path, model.TrainableParameters().Select(p => KeyValuePair.Create(p.Name, (Tensor)p.Parameter)));

    public void Restore(CausalLanguageModel model)
    {
        using var file = SafetensorsFile.Open(path);
        Restore(model, file, namePrefix: "");
    }

    public void Delete() => File.Delete(path);

    /// <summary>Copies a checkpoint's values into the trainable weights.</summary>
    public static void Restore(CausalLanguageModel model, Checkpoint checkpoint, string namePrefix)
    {
        using var gradients = no_grad();
        foreach (var (name, parameter) in model.TrainableParameters())
        {
            using var stored = checkpoint.Read(namePrefix + name);
            parameter.copy_(stored);
        }
    }
}
