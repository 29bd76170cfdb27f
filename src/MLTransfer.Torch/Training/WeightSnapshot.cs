using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>Named weights in a file, to go back to.</summary>
internal sealed class WeightSnapshot(string path)
{
    public bool Exists => File.Exists(path);

    public void Save(IEnumerable<KeyValuePair<string, Tensor>> weights) => SafetensorsWriter.Write(path, weights);

    public void Restore(IEnumerable<KeyValuePair<string, Tensor>> weights)
    {
        using var file = SafetensorsFile.Open(path);
        CopyInto(weights, file);
    }

    /// <summary>Puts a copy into a saved run's folder, where there is a snapshot.</summary>
    public void CopyInto(string folder)
    {
        if (Exists)
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
    }

    /// <summary>Takes the copy in a saved run's folder; where there is none, there is no snapshot afterwards.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="weights">What the copy is to have.</param>
    /// <exception cref="InvalidDataException">The copy is damaged or of another model.</exception>
    public void CopyFrom(string folder, IEnumerable<KeyValuePair<string, Tensor>> weights)
    {
        Delete();
        var copy = Path.Combine(folder, Path.GetFileName(path));
        if (!File.Exists(copy))
            return;
        using (var file = SafetensorsFile.Open(copy))
            Check(weights, file);
        File.Copy(copy, path);
    }

    public void Delete() => File.Delete(path);

    /// <summary>Copies stored values into tensors: all of them, or none where one is missing or of another shape.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing or of another shape; the message names file and tensor.</exception>
    public static void CopyInto(IEnumerable<KeyValuePair<string, Tensor>> targets, Checkpoint source)
    {
        var all = targets.ToList();
        Check(all, source);
        using var gradients = no_grad();
        foreach (var (name, target) in all)
        {
            using var scope = NewDisposeScope(); // of what is read, and of a second wrapper of the target that copy_ returns
            target.copy_(source.Read(name));
        }
    }

    /// <summary>Refuses what <see cref="CopyInto(IEnumerable{KeyValuePair{string, Tensor}}, Checkpoint)"/> would refuse.</summary>
    public static void Check(IEnumerable<KeyValuePair<string, Tensor>> targets, Checkpoint source)
    {
        foreach (var (name, target) in targets)
        {
            if (!source.Tensors.TryGetValue(name, out var info))
                throw new InvalidDataException($"{source.Location} has no tensor '{name}', which the training needs.");
            if (!info.Shape.SequenceEqual(target.shape))
            {
                throw new InvalidDataException(
                    $"{source.Location}: tensor '{name}' has shape [{string.Join(", ", info.Shape)}]; "
                    + $"expected [{string.Join(", ", target.shape)}].");
            }
        }
    }
}
