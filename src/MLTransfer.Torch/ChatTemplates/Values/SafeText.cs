namespace MLTransfer.Torch.ChatTemplates.Values;

/// <summary>A text marked with <c>safe</c>: what is added to it is escaped.</summary>
internal sealed record SafeText(string Text)
{
    public static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);
}
