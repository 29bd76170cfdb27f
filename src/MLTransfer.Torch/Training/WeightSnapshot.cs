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

    /// <summary>Puts a copy into a checkpoint's folder, where there is a snapshot.</summary>
    public void CopyInto(string folder)
    {
        if (Exists)
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
    }

    /// <summary>Takes the copy in a checkpoint's folder, where there is one.</summary>
    public void CopyFrom(string folder)
    {
        var copy = Path.Combine(folder, Path.GetFileName(path));
        if (File.Exists(copy))
            File.Copy(copy, path, overwrite: true);
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
