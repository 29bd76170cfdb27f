using System.IO.Compression;
using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Tests.ChatTemplates;

/// <summary>The reference's templates and what it renders with them.</summary>
internal static class ChatReferences
{
    private static readonly Lazy<Dictionary<string, string>> s_files = new(ReadFiles);

    public static IEnumerable<string> Templates =>
        s_files.Value.Keys.Where(path => path.EndsWith("/cases.json", StringComparison.Ordinal)).Select(path => path.Split('/')[0]);

    public static string? File(string path) => s_files.Value.GetValueOrDefault(path);

    public static JsonElement Json(string path) => JsonContent.Parse(Encoding.UTF8.GetBytes(s_files.Value[path]), path);

    private static Dictionary<string, string> ReadFiles()
    {
        var files = new Dictionary<string, string>();
        using var archive = ZipFile.OpenRead(RepositoryFiles.Data("chat/references.zip"));
        foreach (var entry in archive.Entries)
        {
            using var reader = new StreamReader(entry.Open(), Encoding.UTF8);
            files[entry.FullName.StartsWith("chat/", StringComparison.Ordinal) ? entry.FullName[5..] : entry.FullName] = reader.ReadToEnd();
        }
        return files;
    }
}
