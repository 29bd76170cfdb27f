using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Pickle;
using MLTransfer.Torch.Checkpoints.Safetensors;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>The files that discrete VAEs come in: this library's folder, the authors' two files, the replication's one.</summary>
internal static class DiscreteVaeFiles
{
    private const string Weights = "weights"; // the entry of the replication's file

    private const string HowToConvertParts =
        "If you trust the files, run this in Python where the package dall_e of their authors is installed:\n"
        + "import torch, safetensors.torch\n"
        + "for part in ('encoder', 'decoder'):\n"
        + "    module = torch.load(part + '.pkl', map_location='cpu', weights_only=False)\n"
        + "    safetensors.torch.save_file(module.state_dict(), part + '.safetensors')\n"
        + "Then load the folder of the two new files, without the old ones";

    private static readonly string[] s_whole = ["vae.pt", "vae-final.pt"];

    private static readonly string[] s_extensions = [".pkl", ".pt", ".pth"];

    private static readonly string[] s_standard =
    [
        CheckpointFiles.Safetensors, CheckpointFiles.SafetensorsIndex, CheckpointFiles.Pickle, CheckpointFiles.PickleIndex,
        CheckpointFiles.Encoder,
    ];

    /// <summary>What error messages call them.</summary>
    public static string Description =>
        $"{ModelConfigurationFile.FileName} with the 'architecture' '{DalleVaeConfiguration.Architecture}' or "
        + $"'{ReplicatedVaeConfiguration.Architecture}' and weights; encoder and decoder files of DALL-E's discrete VAE; {s_whole[0]} of "
        + "dalle-pytorch";

    /// <summary>Whether a folder holds one, by its configuration, else by names of files and tensors.</summary>
    public static bool IsIn(string folder)
    {
        if (File.Exists(Path.Combine(folder, ModelConfigurationFile.FileName)))
        {
            var configuration = ModelConfigurationFile.Read(folder);
            if (configuration.ContainsKey("model_type"))
                return false;
            if (configuration.ContainsKey("architecture"))
                return IsArchitecture(configuration);
        }

        if (s_whole.Any(file => File.Exists(Path.Combine(folder, file))) || PartsIn(folder) is { Extension: ".pkl" })
            return true;
        if (PartsIn(folder) is null && !HasStandard(folder))
            return false;
        try
        {
            using var weights = OpenFolder(folder);
            return DiscreteVaeModel.ArchitectureOf(weights) is not null;
        }
        catch (Exception exception) when (exception is InvalidDataException or FileNotFoundException)
        {
            return false; // of another kind, or damaged: whoever loads it tells what is wrong
        }
    }

    /// <summary>Opens weights, with the configuration that there is of them.</summary>
    /// <param name="path">A folder, or a file of a whole model.</param>
    public static (JsonObject? Configuration, Checkpoint Weights) Open(string path)
    {
        if (File.Exists(path))
        {
            var weights = OpenFile(path);
            return (ArgumentsOf(weights), weights);
        }

        var configuration = File.Exists(Path.Combine(path, ModelConfigurationFile.FileName)) ? ModelConfigurationFile.Read(path) : null;
        var opened = OpenFolder(path);
        return (configuration ?? ArgumentsOf(opened), opened);
    }

    private static bool IsArchitecture(JsonObject configuration) => configuration["architecture"]?.ToString()
        is DalleVaeConfiguration.Architecture or ReplicatedVaeConfiguration.Architecture;

    private static bool HasStandard(string folder) => s_standard.Any(file => File.Exists(Path.Combine(folder, file)));

    private static JsonObject? ArgumentsOf(Checkpoint weights) =>
        (weights as PickledFile)?.DataOf(ReplicatedVaeConfiguration.Arguments) is { } arguments
            ? new JsonObject
            {
                ["architecture"] = ReplicatedVaeConfiguration.Architecture, [ReplicatedVaeConfiguration.Arguments] = arguments,
            } : null;

    private static Checkpoint OpenFolder(string folder)
    {
        if (HasStandard(folder) || !Directory.Exists(folder))
            return Checkpoint.Open(folder);
        if (s_whole.Select(file => Path.Combine(folder, file)).FirstOrDefault(File.Exists) is { } whole)
            return OpenFile(whole);
        if (PartsIn(folder) is not var (encoder, decoder, _))
        {
            throw new FileNotFoundException(
                $"'{folder}' holds no weights of a discrete VAE. Expected {CheckpointFiles.Safetensors}, {CheckpointFiles.Encoder} with "
                + $"{CheckpointFiles.Decoder}, encoder.pkl with decoder.pkl (state dicts), or {s_whole[0]}.");
        }

        return JoinedCheckpoint.Open(
            folder, static part => PickledFile.Open(part, Weights, HowToConvertParts), ("encoder.", encoder), ("decoder.", decoder));
    }

    private static (string Encoder, string Decoder, string Extension)? PartsIn(string folder)
    {
        foreach (var extension in s_extensions)
        {
            var (encoder, decoder) = (Path.Combine(folder, "encoder" + extension), Path.Combine(folder, "decoder" + extension));
            if (File.Exists(encoder) && File.Exists(decoder))
                return (encoder, decoder, extension);
        }

        return null;
    }

    private static Checkpoint OpenFile(string path) =>
        PickledFile.IsZip(path) || Path.GetExtension(path) is ".pt" or ".pth" or ".pkl" or ".bin" or ".ckpt"
            ? PickledFile.Open(
                path, Weights,
                "If you trust the file, run this in Python where the package that wrote it is installed:\nimport torch, safetensors.torch\n"
                + $"module = torch.load('{Path.GetFileName(path)}', map_location='cpu', weights_only=False)\n"
                + $"safetensors.torch.save_file(module.state_dict(), '{CheckpointFiles.Safetensors}')\n"
                + "Then load the folder of the new file")
            : SafetensorsFile.Open(path);
}
