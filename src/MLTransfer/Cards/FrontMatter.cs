namespace MLTransfer.Cards;

/// <summary>
/// The metadata at the head of a model card: YAML between two lines of three dashes. Of YAML it knows what cards of the hub need: texts
/// and lists of texts under a name; what is nested is left out.
/// </summary>
internal static class FrontMatter
{
    private const string Fence = "---";

    /// <summary>The entries of a card: one text or several each.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> Read(string card)
    {
        var entries = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var lines = card.ReplaceLineEndings("\n").Split('\n');
        if (lines[0].TrimEnd() != Fence)
            return entries;
        List<string>? list = null;
        foreach (var line in lines.Skip(1).TakeWhile(line => line.TrimEnd() != Fence))
        {
            var item = line.Trim();
            if (item.StartsWith("- ", StringComparison.Ordinal))
            {
                list?.Add(Text(item[2..]));
                continue;
            }

            var colon = line.IndexOf(':');
            if (colon <= 0 || char.IsWhiteSpace(line[0]) || line[0] == '#')
                continue;
            var value = line[(colon + 1)..].Trim();
            list = null;
            if (value.Length == 0)
                entries[line[..colon]] = list = [];
            else
                entries[line[..colon]] = value is ['[', .. var inside, ']'] ? [.. inside.Split(',').Select(Text)] : [Text(value)];
        }

        return entries;
    }

    /// <summary>A card's head.</summary>
    /// <param name="entries">One text or several each; entries without one are left out.</param>
    public static string Write(IEnumerable<(string Name, IReadOnlyList<string> Values, bool IsList)> entries) => string.Concat(
    [
        Fence + "\n",
        .. entries.Where(entry => entry.Values.Count > 0).Select(entry => entry.IsList
            ? $"{entry.Name}:\n" + string.Concat(entry.Values.Select(value => $"- {Scalar(value)}\n"))
            : $"{entry.Name}: {Scalar(entry.Values[0])}\n"),
        Fence + "\n",
    ]);

    private static string Text(string value)
    {
        value = value.Trim();
        if (value is ['"', .. var quoted, '"'])
            return quoted.Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal);
        if (value is ['\'', .. var literal, '\''])
            return literal.Replace("''", "'", StringComparison.Ordinal);
        var comment = value.IndexOf(" #", StringComparison.Ordinal);
        return comment < 0 ? value : value[..comment].TrimEnd();
    }

    /// <summary>Plain where nothing in it has a meaning in YAML, else between quotation marks.</summary>
    private static string Scalar(string value)
    {
        var isPlain = value.Length > 0 && char.IsAsciiLetterOrDigit(value[0])
            && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '/')
            && !(value is "no" or "yes" or "on" or "off" or "true" or "false" or "null" or "n" or "y");
        if (isPlain)
            return value;
        var oneLine = string.Concat(value.Select(c => char.IsControl(c) ? ' ' : c));
        return $"\"{oneLine.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }
}
