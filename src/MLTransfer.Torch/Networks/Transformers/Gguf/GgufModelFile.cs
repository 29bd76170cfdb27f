using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Networks.Transformers.Families;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>A network in a GGUF file.</summary>
internal static class GgufModelFile
{
    private static readonly string[] s_constants = [GgufConstants.Frequencies, GgufConstants.ShortFactors, GgufConstants.LongFactors];

    /// <summary>Keys that tell nothing of what is computed.</summary>
    private static readonly string[] s_harmless = ["vocab_size", "rope.scaling.finetuned", "tensor_data_layout"];

    /// <summary>Opens a file; the caller disposes the checkpoint.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or its parts do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The architecture, or something that the file tells of it, is not supported.</exception>
    public static (JsonObject Configuration, Checkpoint Weights) Open(string path)
    {
        var file = GgufFile.Open(path);
        try
        {
            var (configuration, architecture) = Configure(file);
            var description = FamilyRegistry.Of(configuration, path)
                .Read(new ConfigurationReader(configuration, path));
            var parameters = GgufParameters.Of(description, architecture);
            RefuseLeftover(file, architecture, parameters);
            return (configuration, new GgufCheckpoint(file, parameters));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The <c>config.json</c> of a file.</summary>
    public static JsonObject ReadConfiguration(string path)
    {
        using var file = GgufFile.Open(path);
        return Configure(file).Configuration;
    }

    private static (JsonObject Configuration, GgufArchitecture Architecture) Configure(GgufFile file)
    {
        var metadata = file.Metadata;
        if (metadata.OptionalText("general.type") is { } type and not "model")
            throw new NotSupportedException($"'{file.Location}' is a GGUF file of the type '{type}'; expected a model.");
        if (metadata.OptionalWhole("split.count", 0, ushort.MaxValue) > 1)
            throw new NotSupportedException($"'{file.Location}' is one of several parts of a model; join them with llama-gguf-split.");
        var name = metadata.Text("general.architecture");
        var architecture = GgufArchitectures.Of(name, file.Location);
        var configuration = architecture.Configure(new GgufEntries(file, name));
        foreach (var key in s_harmless)
            metadata.Find($"{name}.{key}");
        if (metadata.Unread(name + ".").FirstOrDefault() is { } unknown)
        {
            throw new NotSupportedException(
                $"'{file.Location}': the metadata entry '{unknown}' is not known and may change what is computed.");
        }

        foreach (var (entry, key) in (ReadOnlySpan<(string, string)>)[
            ("bos_token_id", "bos_token_id"), ("eos_token_id", "eos_token_id"), ("pad_token_id", "padding_token_id")])
        {
            if (metadata.OptionalWhole("tokenizer.ggml." + key, 0, int.MaxValue) is { } id)
                configuration[entry] = id;
        }

        return (configuration, architecture);
    }

    private static void RefuseLeftover(
        GgufFile file, GgufArchitecture architecture, IReadOnlyList<GgufParameter> parameters)
    {
        var known = parameters.Select(parameter => parameter.Stored).ToHashSet(StringComparer.Ordinal);
        known.UnionWith(s_constants);
        known.UnionWith(architecture.Ignored);
        if (file.Stored.Keys.FirstOrDefault(name => !known.Contains(name)) is { } leftover)
        {
            throw new InvalidDataException(
                $"'{file.Location}' has the tensor '{leftover}', which a network of the architecture '{architecture.Name}' does not take.");
        }
    }
}
