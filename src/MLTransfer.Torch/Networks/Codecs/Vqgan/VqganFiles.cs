using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Pickle;
using MLTransfer.Torch.Memory;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>The files of a VQGAN: those that it is saved as, and those that taming-transformers writes.</summary>
internal static class VqganFiles
{
    public const string TamingWeights = "last.ckpt";

    private const string TamingTensors = "state_dict";

    /// <summary>What only training needs: the discriminator, and the network that compares pictures.</summary>
    private const string TrainingOnly = "loss.";

    /// <summary>Whether a folder holds a VQGAN.</summary>
    public static bool AreIn(string folder) =>
        IsConfigured(folder)
        || File.Exists(Path.Combine(folder, CheckpointFiles.TamingConfiguration)) && File.Exists(Path.Combine(folder, TamingWeights));

    /// <summary>The content of <c>config.json</c>, or what <c>model.yaml</c> says, in its form; and the file.</summary>
    public static (JsonObject Configuration, string Path) ReadConfiguration(string folder)
    {
        var path = Path.Combine(folder, IsConfigured(folder) ? ModelConfigurationFile.FileName : CheckpointFiles.TamingConfiguration);
        return (IsConfigured(folder) ? ModelConfigurationFile.Read(folder) : ReadTaming(path), path);
    }

    /// <summary>Opens the weights: safetensors, or else <c>last.ckpt</c>.</summary>
    public static Checkpoint OpenWeights(string folder)
    {
        var path = Path.Combine(folder, TamingWeights);
        return File.Exists(Path.Combine(folder, CheckpointFiles.Safetensors)) || !File.Exists(path)
            ? Checkpoint.Open(folder) : PickledFile.Open(path, TamingTensors);
    }

    /// <summary>Refuses weights of more than the codec takes.</summary>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="prefix">What stands before the codec's names.</param>
    /// <param name="taken">The codec's names.</param>
    /// <param name="origin">What the message calls the checkpoint.</param>
    /// <exception cref="InvalidDataException">Something is left over; the message names it.</exception>
    public static void RefuseLeftover(Checkpoint weights, string prefix, IEnumerable<string> taken, string origin)
    {
        var names = taken.Select(name => prefix + name).ToHashSet(StringComparer.Ordinal);
        var leftover = weights.Tensors.Keys
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && !names.Contains(name)
                && !name.AsSpan(prefix.Length).StartsWith(TrainingOnly))
            .Order(StringComparer.Ordinal).FirstOrDefault();
        if (leftover is not null)
        {
            throw new InvalidDataException(
                $"{origin} has a tensor '{leftover}' that the VQGAN of its configuration does not take. Correct the configuration, or take "
                + "out of the checkpoint what is of no use.");
        }
    }

    private static bool IsConfigured(string folder) => File.Exists(Path.Combine(folder, ModelConfigurationFile.FileName))
        && ModelConfigurationFile.Read(folder)["architecture"]?.ToString() == VqganConfiguration.Architecture;

    private static JsonObject ReadTaming(string path)
    {
        if (!FileOnDisk.Exists(path))
            throw new FileNotFoundException(
                $"{Path.GetDirectoryName(path)} has neither {ModelConfigurationFile.FileName} of a VQGAN nor "
                + $"{CheckpointFiles.TamingConfiguration}.", path);
        var yaml = YamlContent.ParseObject(FileKind.Configuration.Read(path), path);
        var root = new ConfigurationReader(yaml, path);
        var model = root.Object("model") ?? throw root.Missing("model");
        root.RefuseUnread(static key => key is "data" or "lightning"); // of the training
        model.Require("target", "taming.models.vqgan.VQModel");
        var sizes = model.Object("params") ?? throw model.Missing("params");
        model.RefuseUnread(static key => key == "base_learning_rate");
        sizes.Refuse("remap", "codes are numbered as the codebook has them");
        var (width, codewords) = (sizes.Size("embed_dim"), sizes.Size("n_embed"));
        if (sizes.Object("ddconfig") is null)
            throw sizes.Missing("ddconfig");

        // Losses, other files, what is logged, and the shape of codes that is given back.
        sizes.RefuseUnread(static key => key is "lossconfig" or "ckpt_path" or "ignore_keys" or "image_key" or "colorize_nlabels"
            or "monitor" or "sane_index_shape");
        return new JsonObject
        {
            ["architecture"] = VqganConfiguration.Architecture,
            ["embed_dim"] = width,
            ["n_embed"] = codewords,
            ["ddconfig"] = yaml["model"]!["params"]!["ddconfig"]!.DeepClone(),
        };
    }
}
