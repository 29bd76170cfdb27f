using System.IO.Compression;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Tests.Text.Chats;

/// <summary>Tiny llamas of random weights, each with the tokenizer and the chat template of a dialect.</summary>
internal static class TinyChatModel
{
    private static readonly Lazy<Dictionary<string, byte[]>> s_files = new(ReadFiles);

    /// <summary>The names of the dialects: the reference's checkpoints.</summary>
    public static IEnumerable<string> Dialects =>
        s_files.Value.Keys.Where(path => path.EndsWith("/tokenizer.json", StringComparison.Ordinal)).Select(path => path.Split('/')[0]);

    /// <summary>Writes a model.</summary>
    /// <param name="folder">A new folder.</param>
    /// <param name="dialect">Whose tokenizer and template it has.</param>
    /// <param name="template">Another template, or "" for none; null for its own.</param>
    /// <returns>The folder.</returns>
    public static string Make(string folder, string dialect = "chatml", string? template = null)
    {
        Directory.CreateDirectory(folder);
        foreach (var (path, content) in s_files.Value.Where(file => file.Key.StartsWith(dialect + "/", StringComparison.Ordinal)))
        {
            if (!path.EndsWith("/cases.json", StringComparison.Ordinal))
                File.WriteAllBytes(Path.Combine(folder, path[(dialect.Length + 1)..]), content);
        }

        if (template is not null)
            WriteTemplate(folder, template);
        var tokenizer = TextTokenizer.Load(folder);
        using var network = CausalLanguageModel.Create(new JsonObject
        {
            ["model_type"] = "llama", ["architectures"] = new JsonArray("LlamaForCausalLM"), ["hidden_size"] = 32, ["intermediate_size"] =
                48,
            ["num_hidden_layers"] = 2, ["num_attention_heads"] = 4, ["num_key_value_heads"] = 2, ["rms_norm_eps"] = 1e-6,
            ["max_position_embeddings"] = 1024, ["tie_word_embeddings"] = false, ["initializer_range"] = 0.1,
            ["vocab_size"] = tokenizer.VocabularySize, ["eos_token_id"] = tokenizer.EndOfSequenceId,
        }, seed: 5);
        network.Save(folder);
        return folder;
    }

    /// <summary>The template of a dialect's configuration.</summary>
    public static string TemplateOf(string dialect) =>
        JsonNode.Parse(s_files.Value[$"{dialect}/tokenizer_config.json"])!["chat_template"]!.ToString();

    private static void WriteTemplate(string folder, string template)
    {
        var path = Path.Combine(folder, "tokenizer_config.json");
        var configuration = JsonNode.Parse(File.ReadAllText(path))!;
        configuration["chat_template"] = template.Length > 0 ? template : null;
        File.WriteAllText(path, configuration.ToJsonString());
        File.Delete(Path.Combine(folder, "chat_template.jinja"));
    }

    private static Dictionary<string, byte[]> ReadFiles()
    {
        using var archive = ZipFile.OpenRead(RepositoryFiles.Data("chat/references.zip"));
        var files = new Dictionary<string, byte[]>();
        foreach (var entry in archive.Entries.Where(entry => !entry.FullName.StartsWith("engine/", StringComparison.Ordinal)))
        {
            using var content = new MemoryStream();
            using (var stream = entry.Open())
                stream.CopyTo(content);
            files[entry.FullName] = content.ToArray();
        }

        return files;
    }
}
