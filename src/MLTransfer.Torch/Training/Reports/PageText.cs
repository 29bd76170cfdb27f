using System.Net;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>Texts of users and models as parts of a page.</summary>
internal static class PageText
{
    /// <summary>The text without any meaning for a browser; control characters become U+FFFD.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(string.Concat(
        text.Select(character => char.IsControl(character) && character is not ('\n' or '\r' or '\t') ? '\uFFFD' : character)));
}
