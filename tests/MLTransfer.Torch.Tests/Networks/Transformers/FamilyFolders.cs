using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks.Transformers;

/// <summary>The checkpoints of the reference stack in <c>tests/data/families</c>, of tiny networks with random weights.</summary>
internal static class FamilyFolders
{
    public static IEnumerable<TheoryDataRow<string>> All =>
        Directory.EnumerateDirectories(RepositoryFiles.Data("families")).Order(StringComparer.Ordinal).Append(RepositoryFiles.Data("gpt2-tiny"))
            .Select(folder => new TheoryDataRow<string>(Path.GetFileName(folder)));

    public static string PathOf(string name) =>
        Directory.Exists(RepositoryFiles.Data($"families/{name}")) ? RepositoryFiles.Data($"families/{name}") : RepositoryFiles.Data(name);

    public static JsonObject Configuration(string name) => ModelConfigurationFile.Read(PathOf(name));

    public static Checkpoint Open(string name)
    {
        var folder = PathOf(name);
        return File.Exists(Path.Combine(folder, "encoder.safetensors"))
            ? new JoinedCheckpoint(
                folder,
                ("encoder.", SafetensorsFile.Open(Path.Combine(folder, "encoder.safetensors"))),
                ("decoder.", SafetensorsFile.Open(Path.Combine(folder, "decoder.safetensors"))))
            : Checkpoint.Open(folder);
    }

    public static TransformerNetwork Load(string name)
    {
        using var checkpoint = Open(name);
        return TransformerNetwork.Load(Configuration(name), checkpoint, name);
    }
}
