using System.Text;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Exports;

/// <summary>Ollama's <c>Modelfile</c> (https://docs.ollama.com/modelfile): what a model is made of, its template, what ends a
/// turn.</summary>
internal static class OllamaModelfile
{
    public const string FileName = "Modelfile";

    /// <param name="model">The model's file, in the same folder.</param>
    /// <param name="adapter">That of adapters; null for none.</param>
    /// <param name="tokenizer">Has the chat template, if there is one.</param>
    public static string Format(string model, string? adapter, TextTokenizer tokenizer)
    {
        var text = new StringBuilder().Append("FROM ./").Append(model).Append('\n');
        if (adapter is not null)
            text.Append("ADAPTER ./").Append(adapter).Append('\n');
        if (ChatFormat.Find(tokenizer) is not { } chats || !chats.TemplateNames.Contains(ChatTemplateStore.Default))
            return text.Append("TEMPLATE \"\"\"{{ .Prompt }}\"\"\"\n").ToString();
        if (OllamaTemplate.Of(chats, tokenizer) is { } template)
            text.Append("TEMPLATE \"\"\"").Append(template).Append("\"\"\"\n");
        else
            text.Append(
                "# The chat template is no sequence of turns; Ollama takes tokenizer.chat_template of the file where it knows it.\n");
        var end = chats.FindEndOfTurn();
        if ((end.TokenId is { } id ? tokenizer.IdToToken(id) : end.Text?.Trim()) is { Length: > 0 } stop)
        {
            text.Append("PARAMETER stop \"")
                .Append(stop.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
                    .Replace("\n", "\\n", StringComparison.Ordinal))
                .Append("\"\n");
        }

        return text.ToString();
    }
}
