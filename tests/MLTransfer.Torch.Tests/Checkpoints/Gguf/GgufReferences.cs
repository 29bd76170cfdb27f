using Xunit;
using System.IO.Compression;
using System.Text.Json;

namespace MLTransfer.Torch.Tests.Checkpoints.Gguf;

/// <summary>Files of the gguf package, and what it says that they hold.</summary>
internal static class GgufReferences
{
    public static TheoryData<string, string> Files =>
        new(from model in (string[])["llama-tiny", "gpt2-tiny", "qwen3-tiny"] from type in (string[])["f32", "q8_0", "q4_0"]
            select (model, type));

    /// <summary>Writes a file of the archive into a folder.</summary>
    public static string Extract(string name, TemporaryFolder folder)
    {
        var path = folder[name];
        using var archive = ZipFile.OpenRead(RepositoryFiles.Data("gguf/references.zip"));
        archive.GetEntry(name)!.ExtractToFile(path, overwrite: true);
        return path;
    }

    /// <summary>What a file holds.</summary>
    public static JsonElement ContentOf(string model, string type)
    {
        using var archive = ZipFile.OpenRead(RepositoryFiles.Data("gguf/references.zip"));
        using var stream = archive.GetEntry(model + ".json")!.Open();
        return JsonDocument.Parse(stream).RootElement.GetProperty("files").GetProperty(type);
    }
}
