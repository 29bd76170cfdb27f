using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>The tokenizer of the reference data, and ways to change its files.</summary>
internal static class TokenizerData
{
    public static readonly string Folder = RepositoryFiles.Data("gpt2-tiny");

    public static readonly TextTokenizer Tokenizer = TextTokenizer.Load(Folder);

    public static string Excerpt => File.ReadAllText(RepositoryFiles.Data("mars-excerpt.txt"));

    public static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    public static Dictionary<string, byte[]> Files(params string[] names) => names.ToDictionary(name => name, Bytes);

    /// <summary>A tokenizer from the reference tokenizer.json alone, changed.</summary>
    public static TextTokenizer LoadChanged(Action<JsonObject> change) => TextTokenizer.Load(Changed(change));

    public static Dictionary<string, byte[]> Changed(Action<JsonObject> change)
    {
        JsonObject root = JsonNode.Parse(Bytes("tokenizer.json"))!.AsObject();
        change(root);
        return new() { ["tokenizer.json"] = Json(root) };
    }

    public static byte[] Json(object value) => JsonSerializer.SerializeToUtf8Bytes(value);

    public static JsonElement Read(string relativePath) => JsonElement.Parse(File.ReadAllBytes(RepositoryFiles.Data(relativePath)));

    public static int[] Ids(this JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public static JsonObject AddedToken(int id, string content, params string[] flags) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = flags.Contains("single_word"),
        ["lstrip"] = flags.Contains("lstrip"),
        ["rstrip"] = flags.Contains("rstrip"),
        ["normalized"] = flags.Contains("normalized"),
        ["special"] = flags.Contains("special"),
    };
}
