using MLTransfer.Models;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using static TorchSharp.torch;

namespace Numbers.Library;

/// <summary>Model folders and files of tensors.</summary>
internal static class Files
{
    public static string TalesFolder => TalesModel.Folder;

    public static string ShapesFolder => ShapesModel.Folder;

    /// <summary>Tensors of a safetensors file.</summary>
    public static Dictionary<string, Tensor> ReadTensors(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Tensors.Keys.ToDictionary(name => name, name => file.Read(name).clone()); // they may share the file's memory
    }

    /// <summary>A whole checkpoint: a folder in any layout.</summary>
    public static Dictionary<string, Tensor> ReadCheckpoint(string folder)
    {
        using var checkpoint = Checkpoint.Open(folder);
        return checkpoint.Tensors.Keys.ToDictionary(name => name, name => checkpoint.Read(name).clone());
    }

    public static void WriteTensors(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        SafetensorsWriter.Write(path, tensors);
}
