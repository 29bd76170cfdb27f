using System.Text;
using System.Text.Json;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Chats;

/// <summary>
/// The chat templates among a tokenizer's files: <c>chat_template.jinja</c>, else what <c>tokenizer_config.json</c> has under
/// <c>chat_template</c> (a text, or a list of named ones), else <c>chat_template.json</c> of a processor; beside them those of the folder
/// <c>additional_chat_templates</c>.
/// </summary>
internal static class ChatTemplateStore
{
    /// <summary>The name of a template that is the only one, or the usual one of several.</summary>
    public const string Default = "default";

    private const string Key = "chat_template";

    private static readonly UTF8Encoding s_encoding = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Templates by name; empty where there are none.</summary>
    /// <exception cref="InvalidDataException">A file is malformed.</exception>
    public static Dictionary<string, string> Read(IReadOnlyDictionary<string, byte[]> files)
    {
        var templates = new Dictionary<string, string>(StringComparer.Ordinal);
        if (files.TryGetValue(TokenizerFiles.ChatTemplate, out var jinja))
            templates[Default] = Text(jinja, TokenizerFiles.ChatTemplate);
        else if (!AddEntry(files, TokenizerFiles.Configuration, templates))
            AddEntry(files, TokenizerFiles.ProcessorChatTemplate, templates);
        foreach (var (path, content) in files)
        {
            if (TokenizerFiles.ChatTemplateOf(path) is { } name)
                templates[name] = Text(content, path);
        }

        return templates;
    }

    private static bool AddEntry(IReadOnlyDictionary<string, byte[]> files, string file, Dictionary<string, string> templates)
    {
        if (!files.TryGetValue(file, out var content))
            return false;
        var root = JsonContent.Parse(content, file);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(Key, out var entry) || entry.ValueKind == JsonValueKind.Null)
            return false;
        if (entry.ValueKind == JsonValueKind.String)
        {
            templates[Default] = entry.GetString()!;
            return true;
        }

        if (entry.ValueKind != JsonValueKind.Array)
            throw Malformed(file, "is no text and no list");
        foreach (var item in entry.EnumerateArray())
            templates[Property(item, "name", file)] = Property(item, "template", file);
        return templates.Count > 0;
    }

    private static string Property(JsonElement item, string name, string file) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()! : throw Malformed(file, $"has an item without a text '{name}'");

    private static string Text(byte[] content, string file)
    {
        try
        {
            return s_encoding.GetString(content.AsSpan().StartsWith("\uFEFF"u8) ? content.AsSpan(3) : content);
        }
        catch (DecoderFallbackException exception)
        {
            throw new InvalidDataException($"{file} is not valid UTF-8.", exception);
        }
    }

    private static InvalidDataException Malformed(string file, string what) => new(
        $"{file}: {Key} {what}; expected the text of a template, or a list of objects with the texts 'name' and 'template'.");
}
