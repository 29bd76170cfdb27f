using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Pickle;
using Sizes = MLTransfer.Torch.Networks.Dalle.DalleConfiguration;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>The files that DALL-E transformers come in: this library's folder, and the one file of dalle-pytorch.</summary>
internal static class DalleFiles
{
    private const string Weights = "weights"; // the entry of the package's file

    private const string HowToConvert =
        "If you trust the file, run this in Python:\n"
        + "import torch\n"
        + "file = torch.load('dalle.pt', map_location='cpu', weights_only=False)\n"
        + "torch.save({key: file[key] for key in ('hparams', 'vae_params', 'vae_class_name', 'version', 'weights') if key in file}, "
        + "'dalle-plain.pt')\n"
        + "Then load the new file";

    private static readonly string[] s_usual = ["dalle.pt", "dalle-final.pt"];

    /// <summary>What error messages call them.</summary>
    public static string Description =>
        $"{ModelConfigurationFile.FileName} with the 'architecture' '{Sizes.Architecture}' and weights, or {s_usual[0]} of dalle-pytorch "
        + "(DALL-E)";

    /// <summary>Whether a folder holds one, by its configuration, else by its one file's content.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, ModelConfigurationFile.FileName))
        ? ModelConfigurationFile.Read(folder)["architecture"]?.ToString() == Sizes.Architecture
        : FileIn(folder) is not null;

    /// <summary>Opens weights and what is known of them.</summary>
    /// <param name="path">A folder, or the package's file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or holds pickled Python objects.</exception>
    public static (JsonObject Configuration, Checkpoint Weights) Open(string path)
    {
        if (File.Exists(path))
            return OpenFile(path);
        if (!File.Exists(Path.Combine(path, ModelConfigurationFile.FileName)) && FileIn(path) is { } file)
            return OpenFile(file);
        return (ModelConfigurationFile.Read(path), Checkpoint.Open(path));
    }

    /// <summary>The package's file in a folder: of a usual name, or the only one of its kind, with a transformer's sizes in it.</summary>
    private static string? FileIn(string folder)
    {
        if (s_usual.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } usual)
            return usual;
        if (Directory.GetFiles(folder, "*.pt") is not [var only])
            return null;
        try
        {
            using var file = PickledFile.Open(only, Weights);
            return file.DataOf(Sizes.SizesName)?.ContainsKey("depth") == true ? only : null;
        }
        catch (InvalidDataException)
        {
            return null; // of another kind, or damaged: whoever loads it tells what is wrong
        }
    }

    private static (JsonObject Configuration, Checkpoint Weights) OpenFile(string path)
    {
        var file = PickledFile.Open(path, Weights, HowToConvert);
        try
        {
            var configuration = new JsonObject { ["architecture"] = Sizes.Architecture };
            foreach (var key in (string[])["version", Sizes.CodecClassName])
                Put(key, file.TextOf(key) is { } text ? JsonValue.Create(text) : null);
            foreach (var key in (string[])[Sizes.SizesName, Sizes.CodecSizesName])
                Put(key, file.DataOf(key));
            return (configuration, file);

            void Put(string key, JsonNode? value)
            {
                if (value is not null)
                    configuration[key] = value;
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
