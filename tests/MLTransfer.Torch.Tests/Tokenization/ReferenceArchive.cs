using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>The tokenizers of the reference data, and what the reference makes of texts.</summary>
internal static class ReferenceArchive
{
    private static readonly Lazy<Dictionary<string, byte[]>> s_files = new(Read);
    private static readonly ConcurrentDictionary<string, JsonElement> s_parsed = new();

    /// <summary>Folders that a file lies in, with paths that begin with a text.</summary>
    public static string[] Folders(string prefix, string file) =>
    [
        .. s_files.Value.Keys.Where(path =>
            path.StartsWith(prefix, StringComparison.Ordinal) && path.EndsWith("/" + file, StringComparison.Ordinal))
            .Select(path => path[..^(file.Length + 1)]).Order(StringComparer.Ordinal),
    ];

    /// <summary>The 36 kinds: folders at the top with a tokenizer.json.</summary>
    public static string[] Kinds => [.. Folders("", "tokenizer.json").Where(folder => !folder.Contains('/'))];

    public static bool Has(string path) => s_files.Value.ContainsKey(path);

    public static byte[] Bytes(string path) => s_files.Value[path];

    /// <summary>The files of a folder but for some.</summary>
    public static Dictionary<string, byte[]> Files(string folder, params string[] without) => s_files.Value
        .Where(file => file.Key.StartsWith(folder + "/", StringComparison.Ordinal))
        .Select(file => (Name: file.Key[(folder.Length + 1)..], file.Value))
        .Where(file => !without.Contains(file.Name)).ToDictionary(file => file.Name, file => file.Value);

    /// <summary>A tokenizer from the tokenizer.json of a folder alone.</summary>
    public static TextTokenizer Alone(string folder) =>
        TextTokenizer.Load(new Dictionary<string, byte[]> { ["tokenizer.json"] = Bytes(folder + "/tokenizer.json") });

    public static IEnumerable<JsonElement> Cases(string path) => Json(path).EnumerateArray();

    public static JsonElement Json(string path) => s_parsed.GetOrAdd(path, name => JsonElement.Parse(Bytes(name)));

    public static (int, int)[] Spans(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(span => (span[0].GetInt32(), span[1].GetInt32()))];

    public static string[] Texts(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];

    /// <summary>A key, or where it does not stand another one.</summary>
    public static string Either(this JsonElement element, string name, string otherwise) =>
        element.TryGetProperty(name, out _) ? name : otherwise;

    /// <summary>What ids decode to one by one.</summary>
    public static string DecodeOneByOne(TextTokenizer tokenizer, int[] ids, bool skipSpecialTokens = false)
    {
        IncrementalDecoder decoder = tokenizer.CreateIncrementalDecoder(skipSpecialTokens);
        return string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
    }

    private static Dictionary<string, byte[]> Read()
    {
        using ZipArchive archive = ZipFile.OpenRead(RepositoryFiles.Data("tokenizers/references.zip"));
        var files = new Dictionary<string, byte[]>();
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            using Stream stream = entry.Open();
            byte[] content = new byte[entry.Length];
            stream.ReadExactly(content);
            files.Add(entry.FullName, content);
        }

        return files;
    }
}
